/*
 * What is around a vault: each fault is found once, with what to do, and what is right is let be.
 * Faults of files that the real programs are shown are in tests/integration/doctor.
 */
#include "vault/edge/doctor.h"

#include <sys/stat.h>
#include <unistd.h>

#include "staple.h"
#include "vault/base/clock.h"
#include "vault/base/file.h"
#include "vault/base/folder.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"
#include "vault/crypto/x509.h"

#define MIB        (1024ULL * 1024)
#define NOW_S      1795305600 /* 2026-11-22 */
#define DAYS       400
#define TEXT_BYTES 8192
#define KEY_FILE   "../vault-key/root.key"

static char texts[TEXT_BYTES];
static size_t counts[CHECKUP_SEVERITY_COUNT];

static void note(void *context, const char *check, enum checkup_severity severity, const char *text)
{
    (void)context;
    const size_t used = strlen(texts);
    snprintf(texts + used, sizeof texts - used, "%s %s: %s\n", checkup_severity_name(severity),
             check, text);
    counts[severity]++;
}

static const struct checkup out = {.each = note, .check = "tried"};

static void forget(void)
{
    texts[0] = 0;
    memset(counts, 0, sizeof counts);
}

static size_t found(void)
{
    return counts[CHECKUP_WARNING] + counts[CHECKUP_ERROR];
}

/* --- Judgements ----------------------------------------------------------------------------- */

static void test_mail_is_judged_by_what_was_sent_and_not(void **state)
{
    (void)state;
    static const struct {
        struct mailer_figures figures;
        size_t warnings;
    } trials[] = {
        {{0}, 0},
        {{.codes_sent = 2, .messages_sent = 9, .failures = 4, .refused = 3}, 0},
        {{.messages_sent = 9, .failures = 4, .failures_in_a_row = 4, .waiting = 1}, 1},
        {{.codes_sent = 1, .refused = 2}, 1},
        {{.failures = 5, .failures_in_a_row = 5, .refused = 1}, 2},
    };
    for (size_t i = 0; i < sizeof trials / sizeof trials[0]; i++) {
        forget();
        doctor_judge_mail(&trials[i].figures, &out);
        assert_int_equal(counts[CHECKUP_WARNING], trials[i].warnings);
        assert_int_equal(counts[CHECKUP_ERROR], 0);
    }
    assert_non_null(strstr(texts, "the last 5 letters could not be sent"));
}

static void test_room_is_judged_by_what_is_left_and_of_how_much(void **state)
{
    (void)state;
    static const struct {
        struct doctor_room room;
        size_t warnings;
        size_t errors;
    } trials[] = {
        {{.free_bytes = 100000 * MIB, .total_bytes = 200000 * MIB, .free_files = 1000000}, 0, 0},
        {{.free_bytes = 1000 * MIB, .total_bytes = 10000 * MIB, .free_files = UINT64_MAX}, 0, 0},
        {{.free_bytes = 1000 * MIB, .total_bytes = 100000 * MIB, .free_files = UINT64_MAX}, 1, 0},
        {{.free_bytes = 3000 * MIB, .total_bytes = 100000 * MIB, .free_files = UINT64_MAX}, 0, 0},
        {{.free_bytes = 255 * MIB, .total_bytes = 256 * MIB, .free_files = UINT64_MAX}, 0, 1},
        {{.free_bytes = 0, .total_bytes = 100000 * MIB, .free_files = 0}, 1, 1},
        {{.free_bytes = 100000 * MIB, .total_bytes = 200000 * MIB, .free_files = 9999}, 1, 0},
    };
    for (size_t i = 0; i < sizeof trials / sizeof trials[0]; i++) {
        forget();
        doctor_judge_room(&trials[i].room, "the-disk", &out);
        assert_int_equal(counts[CHECKUP_WARNING], trials[i].warnings);
        assert_int_equal(counts[CHECKUP_ERROR], trials[i].errors);
        if (found())
            assert_non_null(strstr(texts, "the-disk"));
    }
}

static void test_the_clock_is_after_what_was_written_by_it(void **state)
{
    (void)state;
    const struct doctor_clock right = {NOW_S, NOW_S, true};
    const struct doctor_clock behind = {NOW_S, NOW_S + 1, true};
    const struct doctor_clock alone = {NOW_S, NOW_S - 1, false};
    forget();
    doctor_judge_clock(&right, &out);
    assert_string_equal(texts, "");
    doctor_judge_clock(&behind, &out);
    assert_int_equal(counts[CHECKUP_ERROR], 1);
    forget();
    doctor_judge_clock(&alone, &out);
    assert_int_equal(found(), 0);
    assert_int_equal(counts[CHECKUP_NOTICE], 1);
}

static void test_limits_are_held_against_the_open_citizens(void **state)
{
    (void)state;
    static const struct config config = {.open_citizens = 1000};
    static const struct config swaps = {.open_citizens = 1000, .allow_swap = true};
    static const struct {
        struct doctor_limits limits;
        const struct config *config;
        const char *wanted;
    } trials[] = {
        {{UINT64_MAX, UINT64_MAX, false}, &config, ""},
        {{16 * MIB, 2512, true}, &config, ""},
        {{8 * MIB, 4096, false}, &config, "warning tried: vaultd may lock 8192 KiB"},
        {{8 * MIB, 4096, true}, &config, "error tried: vaultd may lock 8192 KiB"},
        {{UINT64_MAX, 2511, false}, &config, "warning tried: vaultd may have 2511 files open"},
        {{UINT64_MAX, 4096, true}, &swaps, "warning tried: allow_swap"},
        {{UINT64_MAX, 4096, false}, &swaps, ""},
    };
    for (size_t i = 0; i < sizeof trials / sizeof trials[0]; i++) {
        forget();
        doctor_judge_limits(&trials[i].limits, trials[i].config, &out);
        assert_int_equal(found(), trials[i].wanted[0] ? 1 : 0);
        assert_int_equal(strncmp(texts, trials[i].wanted, strlen(trials[i].wanted)), 0);
    }
}

static void test_this_process_has_limits(void **state)
{
    (void)state;
    const struct doctor_limits limits = doctor_limits_here();
    assert_true(limits.descriptors > 3);
    assert_true(limits.locked_bytes > 0);
}

/* --- A vault's surroundings ----------------------------------------------------------------- */

static char dir[PATH_MAX];
static char config_path[PATH_MAX];
static struct config config;

static void path_of(char path[PATH_MAX], const char *name)
{
    assert_done(file_join(path, PATH_MAX, dir, name, &test_error));
}

static void make_file(const char *name, struct bytes content, mode_t mode)
{
    char path[PATH_MAX];
    path_of(path, name);
    assert_done(file_create(path, content, mode, &test_error));
}

static void make_certificates(void)
{
    static const char *const hosts[] = {"localhost"};
    const struct x509_period period = {NOW_S, DAYS};
    VAULT_AUTO(buf_finish) struct buf ca = buf_limited(X509_PEM_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf ca_key = buf_limited(X509_PEM_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf server = buf_limited(X509_PEM_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf key = buf_limited(X509_PEM_BYTES_MAX);
    assert_done(x509_make_ca("Trial", period, &ca, &ca_key, &test_error));
    const struct x509_ca issuer = {buf_view(&ca), buf_view(&ca_key)};
    assert_done(x509_make_server(&issuer, hosts, 1, period, &server, &key, &test_error));
    make_file("ca.pem", buf_view(&ca), 0644);
    make_file("ca.key", buf_view(&ca_key), 0600);
    make_file("server.pem", buf_view(&server), 0644);
    make_file("server.key", buf_view(&key), 0600);
}

/* A folder with all that a configuration names. */
static void begin(void)
{
    static const char *const folders[] = {"citizens", "log", "policy"};
    static const char *const files[] = {"keyring.json", "control.db", "openings.db", "vaultd.json",
                                        KEY_FILE};
    snprintf(dir, sizeof dir, "%s/vault", test_folder());
    assert_done(folder_create(dir, &test_error));
    assert_done(folder_create_for(dir, KEY_FILE, &test_error));
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char path[PATH_MAX];
        path_of(path, folders[i]);
        assert_done(folder_create(path, &test_error));
    }
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        make_file(files[i], BYTES("?"), 0600);
    make_certificates();
    path_of(config_path, "vaultd.json");
    config = (struct config){.trust_count = 0, .open_citizens = 10};
    snprintf(config.data, sizeof config.data, "%s", dir);
    path_of(config.keyring.key_file, KEY_FILE);
    struct config_listener *listeners[] = {&config.services, &config.citizens, &config.auditors};
    for (size_t i = 0; i < 3; i++) {
        path_of(listeners[i]->certificate, "server.pem");
        path_of(listeners[i]->key, "server.key");
    }
    path_of(config.services.clients_ca, "ca.pem");
    path_of(config.auditors.clients_ca, "ca.pem");
    path_of(config.services_ca_key, "ca.key");
    path_of(config.auditors_ca_key, "ca.key");
}

static void visit(int64_t now_s)
{
    const struct doctor doctor = {
        .config_path = config_path, .config = &config, .now_s = now_s, .out = out};
    forget();
    doctor_run(&doctor);
}

/* Every finding but the trust that these tests have none of, and the clock, which is not theirs. */
static size_t others(void)
{
    size_t count = 0;
    for (const char *line = texts; *line; line = strchr(line, '\n') + 1)
        count += strncmp(line, "notice", 6) != 0 && !strstr(line, "policy.trust is empty") &&
                 strncmp(line, "error clock", 11) != 0;
    return count;
}

static void assert_one(const char *words)
{
    visit(NOW_S);
    if (!strstr(texts, words))
        fail_msg("expected '%s', found: %s", words, texts);
}

static void test_what_is_as_it_should_be_is_let_be(void **state)
{
    (void)state;
    begin();
    visit(NOW_S);
    if (others() != (strstr(texts, " room: ") ? 1U : 0U)) /* the machine's own disk may be full */
        fail_msg("found: %s", texts);
    assert_non_null(strstr(texts, "policy.trust is empty"));
}

static void test_passwords_that_leaked_and_are_not_looked_for_are_told(void **state)
{
    (void)state;
    begin();
    assert_one("notice configuration: passwords.breached names no filter");
    snprintf(config.passwords.breached, sizeof config.passwords.breached, "%s", config_path);
    visit(NOW_S);
    assert_null(strstr(texts, "passwords.breached"));
    snprintf(config.passwords.words, sizeof config.passwords.words, "/nowhere/words");
    assert_one("error configuration: /nowhere/words: No such file");
}

static void test_what_others_may_open_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        mode_t mode;
        mode_t right;
        const char *words;
    } trials[] = {
        {"", 0755, 0700, "warning files: "},
        {"keyring.json", 0640, 0600, "error files: "},
        {"control.db", 0604, 0600, "error files: "},
        {"openings.db", 0660, 0600, "error files: "},
        {"citizens", 0710, 0700, "warning files: "},
        {"log", 0755, 0700, "warning files: "},
        {"policy", 0701, 0700, "warning files: "},
        {KEY_FILE, 0640, 0600, "error key files: "},
        {"server.key", 0644, 0600, "error key files: "},
        {"ca.key", 0604, 0600, "error key files: "},
        {"vaultd.json", 0620, 0600, "error configuration: "},
    };
    begin();
    for (size_t i = 0; i < sizeof trials / sizeof trials[0]; i++) {
        char path[PATH_MAX];
        path_of(path, trials[i].name);
        assert_int_equal(chmod(path, trials[i].mode), 0);
        assert_one(trials[i].words);
        assert_non_null(strstr(texts, "chmod"));
        assert_int_equal(chmod(path, trials[i].right), 0);
    }
    assert_int_equal(chmod(dir, 0777), 0);
    assert_one("where a key is");
    assert_int_equal(chmod(dir, 0700), 0);
}

/* Where a worker that was taken over would read it. */
static void test_a_root_key_that_the_worker_may_read_is_found(void **state)
{
    (void)state;
    begin();
    make_file("root.key", BYTES("?"), 0600);
    path_of(config.keyring.key_file, "root.key");
    assert_one("warning key files: ");
    assert_non_null(strstr(texts, "root.key lies where vaultd's worker may read"));
    snprintf(config.sandbox, sizeof config.sandbox, "off");
    visit(NOW_S);
    assert_null(strstr(texts, "worker may read"));
}

static void test_what_is_missing_is_found(void **state)
{
    (void)state;
    static const char *const names[] = {"keyring.json", "control.db", "openings.db", KEY_FILE,
                                        "server.key",   "server.pem", "ca.pem",      "ca.key"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[PATH_MAX];
        begin();
        path_of(path, names[i]);
        assert_int_equal(unlink(path), 0);
        assert_one(names[i]);
    }
}

static void test_something_else_in_a_files_place_is_found(void **state)
{
    (void)state;
    char path[PATH_MAX];
    begin();
    path_of(path, "control.db");
    assert_int_equal(unlink(path), 0);
    assert_done(folder_create(path, &test_error));
    assert_one("control.db is no regular file");
    path_of(path, "log");
    assert_int_equal(rmdir(path), 0);
    make_file("log", BYTES("?"), 0600);
    assert_one("log is no folder");
}

static void test_certificates_end(void **state)
{
    (void)state;
    begin();
    visit(NOW_S + (int64_t)(DAYS - 10) * 86400);
    assert_non_null(strstr(texts, "warning certificates: "));
    assert_null(strstr(texts, "has ended"));
    visit(NOW_S + (int64_t)(DAYS + 1) * 86400);
    assert_non_null(strstr(texts, "has ended on 20"));
}

static void test_a_certificate_of_another_key_is_found(void **state)
{
    (void)state;
    begin();
    path_of(config.auditors.key, "ca.key");
    assert_one("a listener will not start");
}

static void test_trust_that_cannot_be_used_is_found(void **state)
{
    (void)state;
    begin();
    config.trust_count = 1;
    snprintf(config.trust[0], sizeof config.trust[0], "nobody");
    assert_one("error configuration: ");
    assert_null(strstr(texts, "policy.trust is empty"));
}

static void test_nothing_at_all_is_told_and_survived(void **state)
{
    (void)state;
    begin();
    snprintf(config.data, sizeof config.data, "%s/nowhere", dir);
    snprintf(config_path, sizeof config_path, "%s/nowhere.json", dir);
    assert_one("nowhere");
}

/* It is for days: one that is over lets nobody in, and the doctor says so before. */
static void test_a_list_of_revoked_certificates_is_seen_to(void **state)
{
    (void)state;
    struct identity ca;
    begin();
    path_of(ca.certificate, "ca.pem");
    path_of(ca.key, "ca.key");
    make_crl(&ca, NULL, NOW_S + 10 * 86400, config.services.crl);
    visit(NOW_S);
    assert_int_equal(others(), 0);
    visit(NOW_S + 9 * 86400);
    assert_non_null(strstr(texts, "warning"));
    assert_non_null(strstr(texts, "is over on"));
    visit(NOW_S + 10 * 86400);
    assert_non_null(strstr(texts, "is over since"));
    path_of(config.services.crl, "ca.key");
    assert_one("no list of revoked certificates");
    path_of(config.services.crl, "missing.crl");
    assert_one("missing.crl");
}

/* It is for days, too; over, it is only not shown. */
static void test_an_answer_about_the_servers_certificate_is_seen_to(void **state)
{
    (void)state;
    struct identities all;
    const int64_t now_s = time(NULL);
    begin();
    make_identities(&all);
    make_staple(&all.server_ca, &all.server, true, now_s + 3 * 86400, config.citizens.ocsp);
    snprintf(config.citizens.certificate, PATH_MAX, "%s", all.server.certificate);
    snprintf(config.citizens.key, PATH_MAX, "%s", all.server.key);
    visit(now_s);
    assert_null(strstr(texts, ".ocsp"));
    visit(now_s + 2 * 86400 + 60);
    assert_non_null(strstr(texts, "is not revoked, ends on "));
    make_staple(&all.server_ca, &all.server, true, now_s - 60, config.citizens.ocsp);
    visit(now_s);
    assert_non_null(strstr(texts, "is not revoked, is over"));
    make_staple(&all.server_ca, &all.server, false, now_s + 3 * 86400, config.citizens.ocsp);
    visit(now_s);
    assert_non_null(strstr(texts, "a listener will not start"));
}

int main(void)
{
    json_start();
    assert_done(crypto_start(true, &test_error));
    return TEST_RUN(
        test_an_answer_about_the_servers_certificate_is_seen_to,
        test_mail_is_judged_by_what_was_sent_and_not,
        test_a_list_of_revoked_certificates_is_seen_to,
        test_room_is_judged_by_what_is_left_and_of_how_much,
        test_the_clock_is_after_what_was_written_by_it,
        test_limits_are_held_against_the_open_citizens, test_this_process_has_limits,
        test_what_is_as_it_should_be_is_let_be,
        test_passwords_that_leaked_and_are_not_looked_for_are_told,
        test_what_others_may_open_is_found, test_a_root_key_that_the_worker_may_read_is_found,
        test_what_is_missing_is_found, test_something_else_in_a_files_place_is_found,
        test_certificates_end, test_a_certificate_of_another_key_is_found,
        test_trust_that_cannot_be_used_is_found, test_nothing_at_all_is_told_and_survived);
}
