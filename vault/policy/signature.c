#include "vault/policy/signature.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "files.h"
#include "load.h"
#include "vault/base/clock.h"
#include "vault/base/file.h"

static enum vault_code read_note(const struct bundle *bundle, struct note *note,
                                 struct vault_error *err)
{
    const struct bundle_file *manifest = bundle_file_of(bundle, FILE_MANIFEST);
    const struct bundle_file *signature = bundle_file_of(bundle, FILE_SIGNATURE);
    if (!manifest || !signature)
        return vault_fail(err, VAULT_DENIED, "the bundle is not signed: %s is missing",
                          manifest ? "manifest.sig" : "manifest.json");
    const enum vault_code code = note_parse(buf_view(&signature->content), note, err);
    if (code) {
        vault_error_context(err, "manifest.sig");
        return code;
    }
    if (!bytes_equal(note->text, buf_view(&manifest->content)))
        return vault_fail(err, VAULT_DENIED, "manifest.sig signs another text than manifest.json");
    return VAULT_OK;
}

/* What the bundle lacks, and whose signature would have counted earlier. */
static enum vault_code too_few(const struct policy_trust *trust, const bool is_late[],
                               size_t counted, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf late = buf_limited(VAULT_ERROR_TEXT_BYTES);
    for (size_t i = 0; i < trust->count; i++) {
        char end[INSTANT_CHARS + 1];
        if (!is_late[i])
            continue;
        instant_format(end, trust->keys[i].until_s);
        buf_format(&late, "%s the key of %s, which has signed, ended at %s", late.size ? "," : ";",
                   trust->keys[i].key.name, end);
    }
    const char *text = buf_string(&late);
    return vault_fail(err, VAULT_DENIED, "the bundle has %zu of the %zu signatures it needs%s",
                      counted, trust->signatures, text ? text : "");
}

enum vault_code policy_check_signatures(const struct bundle *bundle,
                                        const struct policy_trust *trust, struct vault_error *err)
{
    struct note note;
    bool is_late[POLICY_TRUST_MAX] = {false};
    size_t counted = 0;
    if (trust->signatures == 0)
        return vault_fail(err, VAULT_INVALID, "the trusted signers are not set up");
    VAULT_TRY(read_note(bundle, &note, err));
    for (size_t i = 0; i < trust->count; i++) {
        bool is_signed = false;
        VAULT_TRY(note_verify(&note, &trust->keys[i].key, &is_signed, err));
        is_late[i] = is_signed && trust->now_s >= trust->keys[i].until_s;
        counted += is_signed && !is_late[i];
    }
    return counted < trust->signatures ? too_few(trust, is_late, counted, err) : VAULT_OK;
}

enum vault_code policy_signed_by(const struct bundle *bundle, const struct policy_trust *trust,
                                 bool signed_by[POLICY_TRUST_MAX], struct vault_error *err)
{
    struct note note;
    VAULT_TRY(read_note(bundle, &note, err));
    for (size_t i = 0; i < trust->count; i++)
        VAULT_TRY(note_verify(&note, &trust->keys[i].key, &signed_by[i], err));
    return VAULT_OK;
}

/* What is wrong with a bundle's files is a verdict on the bundle. */
static enum vault_code verdict(enum vault_code code, struct vault_error *err)
{
    if (code != VAULT_INVALID && code != VAULT_TOO_LARGE)
        return code;
    if (err)
        err->code = VAULT_DENIED;
    return VAULT_DENIED;
}

/* Whether the folder has any of the files by which one knows a bundle. */
static enum vault_code check_is_bundle(const char *folder, struct vault_error *err)
{
    static const char *const names[] = {"manifest.json", "manifest.sig", "catalogue.json"};
    bool found = file_is_missing(folder); /* then reading it says so */
    for (size_t i = 0; i < sizeof names / sizeof *names && !found; i++) {
        char path[PATH_MAX];
        VAULT_TRY(file_join(path, sizeof path, folder, names[i], err));
        found = !file_is_missing(path);
    }
    return found ? VAULT_OK
                 : vault_fail(err, VAULT_INVALID,
                              "%s is no bundle: it has no manifest.json and no catalogue.json",
                              folder);
}

enum vault_code policy_load_signed(const char *folder, const struct policy_trust *trust,
                                   struct policy **out, struct policy_fault *fault,
                                   struct vault_error *err)
{
    VAULT_AUTO(bundle_free) struct bundle *bundle = NULL;
    if (trust->signatures == 0)
        return vault_fail(err, VAULT_INVALID, "the trusted signers are not set up");
    VAULT_TRY(check_is_bundle(folder, err));
    VAULT_TRY(verdict(bundle_read_files(folder, &bundle, fault, err), err));
    VAULT_TRY(verdict(policy_check_signatures(bundle, trust, err), err));
    const enum vault_code code = bundle_settle(bundle, fault, err);
    if (code)
        return bundle->has_manifest ? verdict(code, err) : code;
    return policy_compile(bundle, out, fault, err);
}

/* The manifest that is there, or a new one. */
static enum vault_code manifest_text(const struct bundle *bundle,
                                     const struct policy_manifest *words, struct buf *out,
                                     struct vault_error *err)
{
    const struct bundle_file *file = bundle_file_of(bundle, FILE_MANIFEST);
    if (file) {
        buf_bytes(out, buf_view(&file->content));
        return buf_check(out, err);
    }
    struct manifest manifest = {.version = words->version,
                                .not_before_s = words->not_before_s,
                                .expires_s = words->expires_s ? words->expires_s : INT64_MAX,
                                .has_previous = words->previous != NULL};
    if (words->previous)
        memcpy(manifest.previous, words->previous, SHA256_BYTES);
    if (manifest.expires_s <= manifest.not_before_s)
        return vault_fail(err, VAULT_INVALID, "the bundle would expire before it may decide");
    if (!id_is_valid(bytes_of_text(words->name), ID_PLAIN))
        return vault_fail(err, VAULT_INVALID,
                          "a bundle's name begins with a-z and goes on with a-z, 0-9, _ . or -, at "
                          "most %d characters",
                          POLICY_ID_CHARS_MAX);
    snprintf(manifest.name, sizeof manifest.name, "%s", words->name);
    return manifest_write(bundle, &manifest, out, err);
}

/* Whether a line is by this key: by its name and id. */
static bool is_by(const struct note_signature *signature, const struct note_key *key)
{
    return bytes_equal(signature->name, bytes_of_text(key->name)) &&
           memcmp(signature->key_id, key->id, sizeof key->id) == 0;
}

/* The signatures that are there, if they are under this very text; but not the one of the key that
 * signs again. */
static enum vault_code old_signatures(const struct bundle *bundle, struct bytes text,
                                      const struct note_key *again, struct buf *out,
                                      struct vault_error *err)
{
    const struct bundle_file *file = bundle_file_of(bundle, FILE_SIGNATURE);
    struct note note;
    buf_bytes(out, text);
    buf_text(out, "\n");
    if (!file)
        return VAULT_OK;
    VAULT_TRY(note_parse(buf_view(&file->content), &note, err));
    if (!bytes_equal(note.text, text))
        return vault_fail(err, VAULT_INVALID, "manifest.sig signs another text: remove it first");
    const uint8_t *line = file->content.data + text.size + 1;
    for (size_t i = 0; i < note.signature_count; i++) {
        const struct bytes *last = &note.signatures[i].base64;
        const uint8_t *end = last->data + last->size + 1; /* behind the newline */
        if (!is_by(&note.signatures[i], again))
            buf_append(out, line, (size_t)(end - line));
        line = end;
    }
    return VAULT_OK;
}

enum vault_code policy_sign(const char *folder, const struct note_signer *signer,
                            const struct policy_manifest *manifest, struct vault_error *err)
{
    VAULT_AUTO(bundle_free) struct bundle *bundle = NULL;
    VAULT_AUTO(policy_free) struct policy *policy = NULL;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(POLICY_FILE_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(NOTE_MAX_BYTES);
    char manifest_path[PATH_MAX];
    char signature_path[PATH_MAX];
    VAULT_TRY(file_join(manifest_path, sizeof manifest_path, folder, "manifest.json", err));
    VAULT_TRY(file_join(signature_path, sizeof signature_path, folder, "manifest.sig", err));
    VAULT_TRY(bundle_read(folder, &bundle, NULL, err));
    VAULT_TRY(policy_compile(bundle, &policy, NULL, err)); /* nobody signs what could not decide */
    VAULT_TRY(manifest_text(bundle, manifest, &text, err));
    VAULT_TRY(old_signatures(bundle, buf_view(&text), &signer->key, &note, err));
    VAULT_TRY(note_sign(buf_view(&text), signer, &note, err));
    VAULT_TRY(buf_check(&note, err));
    VAULT_TRY(file_replace(manifest_path, buf_view(&text), 0644, err));
    return file_replace(signature_path, buf_view(&note), 0644, err);
}
