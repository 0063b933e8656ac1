/*
 * The small file in which a vault keeps when its log was last anchored, and what each witness
 * cosigned last. The input is that file.
 *
 * It is read or refused, with one line that has nothing of it; what is read is in no future, and
 * comes back the same from the file that is written of it.
 */
#include "fuzz_tools.h"

#include "edge/anchor_parts.h"
#include "log_fuzz.h"

#define NOW_S INT64_C(1804500000)

static char state[PATH_MAX];
static char policy[PATH_MAX];

static int64_t stand_still(void *context)
{
    (void)context;
    return NOW_S * 1000;
}

static struct anchor_options options = {.state_path = state,
                                        .policy_path = policy,
                                        .witnesses_ca = "",
                                        .keep_dir = "",
                                        .timestamps_url = "",
                                        .timestamps_ca = "",
                                        .stale_s = 3600,
                                        .warn_s = 600};

/* Two witnesses, whose keys are those of the corpora of the log's targets. */
static void write_policy(void)
{
    static const char *const names[] = {"witness.example/a", "witness.example/b"};
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(QUORUM_FILE_MAX_BYTES);
    for (unsigned i = 0; i < 2; i++) {
        char vkey[NOTE_KEY_CHARS_MAX];
        VAULT_AUTO(note_signer_finish)
        struct note_signer signer = log_fuzz_signer(names[i], NOTE_COSIGNATURE, (uint8_t)(i + 2));
        note_key_print(&signer.key, vkey);
        buf_format(&text, "witness %c %s https://%c.example/\n", 'a' + i, vkey, 'a' + i);
    }
    buf_text(&text, "group all all a b\nquorum all\n");
    scratch_put("policy", buf_view(&text));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    log_fuzz_start();
    fetch_start();
    scratch_start();
    scratch_path(state, "state");
    scratch_path(policy, "policy");
    write_policy();
    options.clock.now_ms = stand_still;
    return 0;
}

static void describe(struct anchor *anchor, struct buf *out)
{
    VAULT_AUTO(json_free) json_t *root = NULL;
    const struct vault_anchor *hooks = anchor_hooks(anchor);
    REQUIRE(hooks);
    hooks->describe(hooks->context, out);
    REQUIRE(buf_check(out, NULL) == VAULT_OK);
    REQUIRE(json_parse(buf_view(out), 4, &root, NULL, NULL) == VAULT_OK);
    REQUIRE(json_array_size(json_object_get(root, "witnesses")) == 2);
    REQUIRE(json_integer_value(json_object_get(root, "age_s")) >= 0);
    REQUIRE(anchor->freshness.anchored_s >= 0 && anchor->freshness.anchored_s <= NOW_S);
}

/* Written again, and read. */
static void check_again(struct anchor *anchor)
{
    VAULT_AUTO(anchor_close) struct anchor *again = NULL;
    VAULT_AUTO(buf_finish) struct buf told = buf_limited(4096);
    VAULT_AUTO(buf_finish) struct buf kept = buf_limited(4096);
    anchor->is_dirty = true;
    anchor_write_state(anchor);
    REQUIRE(anchor_open(&options, &again, NULL) == VAULT_OK);
    REQUIRE(again->freshness.anchored_s == anchor->freshness.anchored_s);
    REQUIRE(bytes_equal(buf_view(&again->shown_lines), buf_view(&anchor->shown_lines)));
    describe(anchor, &told);
    describe(again, &kept);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vault_error err = {.text = ""};
    VAULT_AUTO(anchor_close) struct anchor *anchor = NULL;
    scratch_put("state", (struct bytes){data, size});
    const enum vault_code code = anchor_open(&options, &anchor, &err);
    if (code == VAULT_OK) {
        check_again(anchor);
        return 0;
    }
    REQUIRE(code == VAULT_CORRUPT || code == VAULT_TOO_LARGE);
    require_silent(&err);
    return 0;
}
