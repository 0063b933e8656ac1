/*
 * pages_parts - the pages themselves, for the table in pages.c. Each takes the visit and what {id}
 * stood for in its path.
 */
#pragma once

#include "pages_visit.h"
#include "vault/edge/route.h"

/* pages.c: every route of the citizens' listener, for who wants to try each. */
extern const struct route page_routes[];
extern const size_t page_route_count;

/* Whether what was written into the form of that address is kept over a sign-in. */
bool page_keeps_typed(const char *path);

/* pages_sign_in.c */
void sign_in_show(struct visit *visit, const char *id);
void sign_in_do(struct visit *visit, const char *id);
void sign_out_do(struct visit *visit, const char *id);
void language_do(struct visit *visit, const char *id);
void left_show(struct visit *visit, const char *id);
void about_show(struct visit *visit, const char *id);
void accessibility_show(struct visit *visit, const char *id);

/* pages_request.c */
void code_show(struct visit *visit, const char *id);
void code_do(struct visit *visit, const char *id);
void link_open(struct visit *visit, const char *code);
void request_show(struct visit *visit, const char *id);
void request_give(struct visit *visit, const char *id);
void request_refuse(struct visit *visit, const char *id);

/* pages_home.c */
void home_show(struct visit *visit, const char *id);
void statement_send(struct visit *visit, const char *id);

/* pages_service.c */
void service_show(struct visit *visit, const char *id);
void service_letter_show(struct visit *visit, const char *id);
void withdraw_show(struct visit *visit, const char *id);

/* pages_receipt.c */
void receipt_send(struct visit *visit, const char *id);
void receipt_show(struct visit *visit, const char *id);
void check_show(struct visit *visit, const char *id);
void check_do(struct visit *visit, const char *id);

/* pages_stance.c */
void withdraw_do(struct visit *visit, const char *id);
void suspend_do(struct visit *visit, const char *id);
void resume_do(struct visit *visit, const char *id);
void pause_do(struct visit *visit, const char *id);
void restrict_do(struct visit *visit, const char *id);
void resume_all_do(struct visit *visit, const char *id);
void object_do(struct visit *visit, const char *id);
void lift_do(struct visit *visit, const char *id);

/* pages_accesses.c */
void accesses_show(struct visit *visit, const char *id);
void access_entry_send(struct visit *visit, const char *id);
void access_proof_send(struct visit *visit, const char *id);
void access_opening_send(struct visit *visit, const char *id);

/* pages_account.c */
void again_show(struct visit *visit, const char *id);
void again_do(struct visit *visit, const char *id);
void export_send(struct visit *visit, const char *id);
void erase_show(struct visit *visit, const char *id);
void erase_do(struct visit *visit, const char *id);
void security_show(struct visit *visit, const char *id);
void sign_out_one_do(struct visit *visit, const char *id);
void sign_out_others_do(struct visit *visit, const char *id);
void password_do(struct visit *visit, const char *id);

/* pages_messages.c */
void messages_show(struct visit *visit, const char *id);
void messages_ask_do(struct visit *visit, const char *id);
void messages_code_do(struct visit *visit, const char *id);
void messages_stop_do(struct visit *visit, const char *id);
void messages_end_show(struct visit *visit, const char *id);
void messages_end_do(struct visit *visit, const char *id);
void messages_ended_show(struct visit *visit, const char *id);

/* pages_data.c */
void data_show(struct visit *visit, const char *id);
void correction_show(struct visit *visit, const char *field);
void correction_do(struct visit *visit, const char *field);
void correction_ask_do(struct visit *visit, const char *field);

/* pages_report.c */
void report_show_form(struct visit *visit, const char *id);
void report_make_do(struct visit *visit, const char *id);
void reports_show(struct visit *visit, const char *id);
void report_page_show(struct visit *visit, const char *id);
void report_text_send(struct visit *visit, const char *id);

/* pages_passkey.c, pages_passkey_list.c */
void passkey_offer(struct visit *visit, const char *id);
void passkey_sign_in_do(struct visit *visit, const char *id);
void passkey_again_do(struct visit *visit, const char *id);
void passkey_add_do(struct visit *visit, const char *id);
void passkey_rename_do(struct visit *visit, const char *id);
void passkey_remove_do(struct visit *visit, const char *id);

/* pages_codes.c */
void recovery_do(struct visit *visit, const char *id);
void activate_show(struct visit *visit, const char *id);
void activate_do(struct visit *visit, const char *id);
/* pages_mandates.c */
void mandates_show(struct visit *visit, const char *id);
void mandate_give_do(struct visit *visit, const char *id);
void mandate_codes_do(struct visit *visit, const char *id);
void mandate_end_do(struct visit *visit, const char *id);

/* pages_guardian.c */
void minors_show(struct visit *visit, const char *id);
void minor_show(struct visit *visit, const char *id);
void minor_request_show(struct visit *visit, const char *id);
void minor_open_do(struct visit *visit, const char *id);
void minor_give_do(struct visit *visit, const char *id);
void minor_refuse_do(struct visit *visit, const char *id);
void minor_withdraw_do(struct visit *visit, const char *id);
void minor_stop_do(struct visit *visit, const char *id);

/* pages_mediator.c, pages_acting.c: the mediators' side */
void mediator_door_show(struct visit *visit, const char *id);
void mediator_door_do(struct visit *visit, const char *id);
void mediator_leave_do(struct visit *visit, const char *id);
void mediator_password_show(struct visit *visit, const char *id);
void mediator_password_do(struct visit *visit, const char *id);
void mediator_home_show(struct visit *visit, const char *id);
void mediator_code_do(struct visit *visit, const char *id);
void mediator_end_do(struct visit *visit, const char *id);
void mediator_mandate_show(struct visit *visit, const char *id);
void mediator_open_do(struct visit *visit, const char *id);
void mediator_request_show(struct visit *visit, const char *id);
void mediator_values_do(struct visit *visit, const char *id);
void mediator_give_do(struct visit *visit, const char *id);
void mediator_refuse_do(struct visit *visit, const char *id);
void mediator_withdraw_do(struct visit *visit, const char *id);
void mediator_suspend_do(struct visit *visit, const char *id);
void mediator_resume_do(struct visit *visit, const char *id);

/* pages_mediator_security.c */
void mediator_passkey_offer(struct visit *visit, const char *id);
void mediator_door_passkey_do(struct visit *visit, const char *id);
void mediator_sign_out_others_do(struct visit *visit, const char *id);
void mediator_security_show(struct visit *visit, const char *id);
void mediator_again_show(struct visit *visit, const char *id);
void mediator_again_do(struct visit *visit, const char *id);
void mediator_again_passkey_do(struct visit *visit, const char *id);
void mediator_passkey_add_do(struct visit *visit, const char *id);
void mediator_passkey_rename_do(struct visit *visit, const char *id);
void mediator_passkey_remove_do(struct visit *visit, const char *id);

/* pages_register.c: for everybody */
void policies_show(struct visit *visit, const char *id);
void policies_send(struct visit *visit, const char *id);
void policy_open(struct visit *visit, const char *id);

/* pages_files.c: no session, no language */
void style_send(struct visit *visit, const char *id);
void script_send(struct visit *visit, const char *id);
void icon_send(struct visit *visit, const char *id);
void change_password_go(struct visit *visit, const char *id);
void robots_send(struct visit *visit, const char *id);
void security_text_send(struct visit *visit, const char *id);
void health_send(struct visit *visit, const char *id);
void ready_send(struct visit *visit, const char *id);
