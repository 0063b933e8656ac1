/*
 * What addresses and cookies say: the search of auditors, their list of entries, and a cookie. The
 * first byte says which. A search that is taken keeps its limits, and means the same with its
 * parameters in another order; a list is written and read again to the same; a cookie's value lies
 * in its header.
 */
#include "fuzz_tools.h"

#include "edge/auditor_filter.h"
#include "vault/edge/form.h"
#include "vault/vault/look.h"

#define USUAL 100
#define NAME  "__Host-session"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

/* --- A search -------------------------------------------------------------------------------- */

static void require_same(const struct auditor_filter *a, const struct auditor_filter *b)
{
    REQUIRE(a->filter.from_ms == b->filter.from_ms && a->filter.before_ms == b->filter.before_ms);
    REQUIRE(bytes_equal(a->filter.service, b->filter.service));
    REQUIRE(bytes_equal(a->filter.purpose, b->filter.purpose));
    REQUIRE(a->filter.event == b->filter.event && a->filter.outcome == b->filter.outcome);
    REQUIRE(a->range.newest_first == b->range.newest_first && a->range.from == b->range.from);
    REQUIRE(a->range.below == b->range.below && a->range.limit == b->range.limit);
    REQUIRE(a->is_placed == b->is_placed);
}

static void check_search(struct bytes input)
{
    static const char *const also[] = {"csv", NULL};
    static struct http_request request;
    static struct http_request turned;
    struct auditor_filter filter;
    struct auditor_filter same;
    VAULT_AUTO(form_finish) struct form query = {0};
    if (form_parse(input, &query, NULL) != VAULT_OK)
        return;
    request.query_count = turned.query_count = query.count;
    for (size_t i = 0; i < query.count; i++) {
        request.query[i] = (struct http_pair){query.fields[i].name, query.fields[i].value};
        turned.query[query.count - 1 - i] = request.query[i];
    }
    const struct auditor_fault fault =
        auditor_filter_read(&request, USUAL, AUDITOR_FOUND_MAX, also, &filter);
    const struct auditor_fault other =
        auditor_filter_read(&turned, USUAL, AUDITOR_FOUND_MAX, also, &same);
    REQUIRE(fault.status == other.status);
    if (fault.status) {
        REQUIRE((fault.status == 400 || fault.status == 422) && fault.detail && fault.text);
        REQUIRE(!strstr(fault.detail, FUZZ_VALUE) && !strstr(fault.name, FUZZ_VALUE));
        return;
    }
    require_same(&filter, &same);
    REQUIRE(filter.range.limit >= 1 && filter.range.limit <= AUDITOR_FOUND_MAX);
    REQUIRE(filter.filter.from_ms <= filter.filter.before_ms);
    REQUIRE(!filter.filter.service.size || entry_id_is_valid(filter.filter.service));
}

/* --- A list ---------------------------------------------------------------------------------- */

static void check_list(struct bytes input)
{
    struct vault_error err = {.text = ""};
    struct look_wish wish = {.entry_count = 0};
    struct look_wish same = {.entry_count = 0};
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(64UL * LOOK_ENTRIES_MAX);
    if (look_check_reason(input, &err) != VAULT_OK)
        require_silent(&err);
    if (look_parse_entries(input, &wish, &err) != VAULT_OK) {
        require_silent(&err);
        return;
    }
    REQUIRE(wish.entry_count >= 1 && wish.entry_count <= LOOK_ENTRIES_MAX);
    for (size_t i = 1; i < wish.entry_count; i++)
        REQUIRE(wish.entries[i] > wish.entries[i - 1]);
    look_write_entries(wish.entries, wish.entry_count, &text);
    REQUIRE(buf_check(&text, NULL) == VAULT_OK);
    REQUIRE(look_parse_entries(buf_view(&text), &same, NULL) == VAULT_OK);
    REQUIRE(same.entry_count == wish.entry_count);
    REQUIRE(memcmp(same.entries, wish.entries, wish.entry_count * sizeof wish.entries[0]) == 0);
}

/* --- A cookie -------------------------------------------------------------------------------- */

static void check_cookie(struct bytes input)
{
    const struct bytes value = cookie_value(input, NAME);
    if (!value.data)
        return;
    const size_t name = strlen(NAME) + 1;
    REQUIRE(value.data >= input.data + name);
    REQUIRE(value.data + value.size <= input.data + input.size);
    REQUIRE(memcmp(value.data - name, NAME "=", name) == 0);
    REQUIRE(!value.size || !memchr(value.data, ';', value.size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const struct bytes input = {data + 1, size - 1};
    if (data[0] % 3 == 0)
        check_search(input);
    else if (data[0] % 3 == 1)
        check_list(input);
    else
        check_cookie(input);
    return 0;
}
