/*
 * Policies (tlog-policy), and what was kept of their witnesses. One cosignature more never makes a
 * quorum less; none is only enough for a policy that asks for none; and no more witnesses cosigned
 * than there are, nor than lines.
 */
#include "log_fuzz.h"

#include "vault/ledger/cosigners.h"
#include "vault/ledger/quorum.h"

#define WITNESSES 4U

static struct buf notes[WITNESSES + 1]; /* one checkpoint, with so many cosignatures */
static struct checkpoint checkpoints[WITNESSES + 1];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char *const names[WITNESSES] = {"witness.example/a", "witness.example/b",
                                                 "witness.example/c", "witness.example/d"};
    const struct tree_hash root = {{1}};
    (void)argc;
    (void)argv;
    log_fuzz_start();
    VAULT_AUTO(note_signer_finish) struct note_signer signer = log_fuzz_log();
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(CHECKPOINT_MAX_BYTES);
    checkpoint_write_text(&text, signer.key.name, 300, &root);
    for (unsigned i = 0; i <= WITNESSES; i++) {
        notes[i] = buf_limited(CHECKPOINT_MAX_BYTES);
        buf_bytes(&notes[i], i ? buf_view(&notes[i - 1]) : buf_view(&text));
        if (i == 0) {
            buf_text(&notes[i], "\n");
            REQUIRE(note_sign(buf_view(&text), &signer, &notes[i], NULL) == VAULT_OK);
        } else {
            VAULT_AUTO(note_signer_finish)
            struct note_signer witness =
                log_fuzz_signer(names[i - 1], NOTE_COSIGNATURE, (uint8_t)(i + 1));
            REQUIRE(checkpoint_cosign(buf_view(&text), &witness, 1795295592 + i, &notes[i], NULL) ==
                    VAULT_OK);
        }
        REQUIRE(checkpoint_parse(buf_view(&notes[i]), &checkpoints[i], NULL) == VAULT_OK);
    }
    return 0;
}

/* What follows a line of dashes is what was kept of the policy's witnesses. */
static struct bytes cut_kept(struct bytes *policy)
{
    static const char line[] = "\n---\n";
    const uint8_t *at = memmem(policy->data, policy->size, line, strlen(line));
    struct bytes kept = {0};
    if (at) {
        const size_t size = (size_t)(at - policy->data) + 1;
        kept = (struct bytes){at + strlen(line), policy->size - size - strlen(line) + 1};
        policy->size = size;
    }
    return kept;
}

static void require_kept(const struct quorum *quorum, struct bytes kept)
{
    VAULT_AUTO(cosigners_free) struct cosigners *cosigners = NULL;
    VAULT_AUTO(buf_finish) struct buf before = buf_limited(CHECKPOINT_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf after = buf_limited(CHECKPOINT_MAX_BYTES);
    if (cosigners_new(quorum, &cosigners, NULL) != VAULT_OK)
        return;
    REQUIRE(cosigners_count(cosigners) <= COSIGNERS_MAX);
    cosigners_write(cosigners, &before);
    const bool is_kept = cosigners_read(cosigners, kept, NULL) == VAULT_OK;
    cosigners_write(cosigners, &after);
    REQUIRE(!before.problem && !after.problem);
    REQUIRE(is_kept || bytes_equal(buf_view(&before), buf_view(&after)));
    REQUIRE(cosigners_read(cosigners, buf_view(&after), NULL) == VAULT_OK);
    buf_clear(&before);
    cosigners_write(cosigners, &before);
    REQUIRE(bytes_equal(buf_view(&before), buf_view(&after)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = {data, size};
    const struct bytes kept = cut_kept(&input);
    VAULT_AUTO(quorum_free) struct quorum *quorum = NULL;
    if (quorum_parse(input, &quorum, NULL) != VAULT_OK)
        return 0;
    const size_t count = quorum_witness_count(quorum);
    REQUIRE(count <= QUORUM_NAMES_MAX);
    for (size_t i = 0; i < count; i++) {
        REQUIRE(quorum_witness_key(quorum, i)->kind == NOTE_COSIGNATURE);
        REQUIRE(strlen(quorum_witness_url(quorum, i)) <= QUORUM_URL_MAX_CHARS);
    }
    bool was_met = false;
    for (size_t i = 0; i <= WITNESSES; i++) {
        struct quorum_outcome outcome;
        REQUIRE(quorum_check(quorum, &checkpoints[i], INT64_MAX, &outcome, NULL) == VAULT_OK);
        REQUIRE(outcome.cosigned <= i && outcome.cosigned <= count);
        REQUIRE(outcome.is_met || !was_met);
        if (i == 0)
            REQUIRE(outcome.is_met == !quorum_needs_witnesses(quorum));
        was_met = outcome.is_met;
    }
    require_kept(quorum, kept);
    return 0;
}
