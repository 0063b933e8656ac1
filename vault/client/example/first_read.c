/*
 * first_read - ask one citizen for fields, wait for the answer, read.
 *
 *   first_read ADDRESS CA CERTIFICATE KEY PURPOSE ASSURANCE FIELD[=FORM]...
 *
 * ASSURANCE is how surely the service knows who is in front of it: low, substantial or high.
 *
 * Build it with: cc first_read.c $(pkg-config --cflags --libs vault-client)
 */
#include <stdio.h>
#include <string.h>

#include <vault/client.h>

#define WAITS_MAX 30 /* of 60 seconds */

static int fail(const struct vault_client_error *err)
{
    fprintf(stderr, "first_read: %s: %s\n", vault_client_code_name(err->code), err->text);
    return 1;
}

/* Cut each FIELD=FORM at its sign. */
static void read_fields(char *words[], size_t count, struct vault_client_field fields[])
{
    for (size_t i = 0; i < count; i++) {
        char *sign = strchr(words[i], '=');
        if (sign)
            *sign = 0;
        fields[i] = (struct vault_client_field){words[i], sign ? sign + 1 : NULL};
    }
}

static enum vault_client_code wait_for(struct vault_client *client, const char *id,
                                       struct vault_client_answer *answer,
                                       struct vault_client_error *err)
{
    enum vault_client_code code = VAULT_CLIENT_OK;
    answer->state = VAULT_CLIENT_PENDING;
    for (int i = 0;
         i < WAITS_MAX && code == VAULT_CLIENT_OK && answer->state == VAULT_CLIENT_PENDING; i++)
        code = vault_client_wait(client, id, VAULT_CLIENT_WAIT_MAX_S, answer, err);
    return code;
}

static int read_and_print(struct vault_client *client, const struct vault_client_question *question)
{
    struct vault_client_error err;
    struct vault_client_release *release = NULL;
    if (vault_client_read(client, question, &release, &err) != VAULT_CLIENT_OK)
        return fail(&err);
    for (size_t i = 0; i < release->value_count; i++)
        printf("%s (%s): %s\n", release->values[i].field, release->values[i].form,
               release->values[i].json);
    for (size_t i = 0; i < release->withheld_count; i++)
        printf("%s: withheld\n", release->withheld[i]);
    vault_client_release_free(&release);
    return 0;
}

static int run(struct vault_client *client, const char *purpose, const char *assurance,
               const struct vault_client_field *fields, size_t count)
{
    const struct vault_client_context context[] = {{"assurance_at_least", assurance}};
    struct vault_client_error err;
    struct vault_client_request request;
    struct vault_client_answer answer;
    const struct vault_client_ask ask = {
        .purpose = purpose, .fields = fields, .field_count = count};
    if (vault_client_ask(client, &ask, &request, &err) != VAULT_CLIENT_OK)
        return fail(&err);
    printf("Show the citizen: %s or %s\n", request.code, request.link);
    fflush(stdout);
    if (wait_for(client, request.id, &answer, &err) != VAULT_CLIENT_OK)
        return fail(&err);
    if (answer.state != VAULT_CLIENT_GRANTED) {
        printf("Not granted.\n");
        return 1;
    }
    const struct vault_client_question question = {
        .subject = answer.subject,
        .purpose = purpose,
        .fields = fields,
        .field_count = count,
        .context = context,
        .context_count = 1,
    };
    return read_and_print(client, &question);
}

int main(int argc, char *argv[])
{
    struct vault_client_field fields[VAULT_CLIENT_FIELDS_MAX];
    struct vault_client_error err;
    struct vault_client *client = NULL;
    if (argc < 8 || argc - 7 > VAULT_CLIENT_FIELDS_MAX) {
        fprintf(stderr,
                "first_read ADDRESS CA CERTIFICATE KEY PURPOSE ASSURANCE FIELD[=FORM]...\n");
        return 64;
    }
    const size_t count = (size_t)argc - 7;
    const struct vault_client_options options = {
        .address = argv[1], .ca_file = argv[2], .certificate_file = argv[3], .key_file = argv[4]};
    read_fields(argv + 7, count, fields);
    if (vault_client_open(&options, &client, &err) != VAULT_CLIENT_OK)
        return fail(&err);
    const int code = run(client, argv[5], argv[6], fields, count);
    vault_client_close(&client);
    return code;
}
