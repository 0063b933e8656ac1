/*
 * GET /v1/openapi.json: OpenAPI 3.1, from the table of calls. Schemas and parameters are a file
 * that is carried in the program.
 */
#include <stdio.h>
#include <string.h>

#include "assets.h"
#include "service_calls.h"
#include "service_parts.h"

#define PATH_BYTES_MAX 128

static const char *method_member(enum http_method method)
{
    static const char *const members[HTTP_METHOD_COUNT] = {
        [HTTP_GET] = "get",
        [HTTP_POST] = "post",
        [HTTP_PUT] = "put",
        [HTTP_DELETE] = "delete",
    };
    return members[method];
}

/* The pattern, with what {id} stands for by its own name. */
static void write_path(const struct service_call *call, struct buf *out)
{
    const char *pattern = call->route.pattern;
    const char *step = strchr(pattern, '{');
    if (step)
        buf_format(out, "\"%.*s{%s}%s\":{", (int)(step - pattern), pattern, call->step,
                   strchr(step, '}') + 1);
    else
        buf_format(out, "\"%s\":{", pattern);
}

static void write_parameters(const struct service_call *call, struct buf *out)
{
    static const char reference[] = "{\"$ref\":\"#/components/parameters/%s\"}";
    bool first = true;
    buf_text(out, ",\"parameters\":[");
    if (call->step) {
        buf_format(out, reference, call->step);
        first = false;
    }
    for (size_t i = 0; i < SERVICE_PARAMETERS_MAX && call->parameters[i]; i++) {
        buf_text(out, first ? "" : ",");
        buf_format(out, reference, call->parameters[i]);
        first = false;
    }
    buf_byte(out, ']');
}

static void write_content(const char *type, const char *schema, struct buf *out)
{
    buf_format(out, ",\"content\":{\"%s\":{\"schema\":", type);
    if (schema)
        buf_format(out, "{\"$ref\":\"#/components/schemas/%s\"}}}", schema);
    else
        buf_text(out, "{\"type\":\"string\"}}}");
}

/* The begin of one, with its headers. */
static void write_response(unsigned status, struct buf *out)
{
    static const char header[] = "\"%s\":{\"$ref\":\"#/components/headers/%s\"}";
    buf_format(out, "\"%u\":{\"description\":\"%s\",\"headers\":{", status,
               http_status_phrase(status));
    buf_format(out, header, "Request-Id", "RequestId");
    if (status == 429 || status == 503) {
        buf_byte(out, ',');
        buf_format(out, header, "Retry-After", "RetryAfter");
    }
    buf_byte(out, '}');
}

static void write_responses(const struct service_call *call, struct buf *out)
{
    buf_text(out, ",\"responses\":{");
    write_response(call->status, out);
    if (call->answer)
        write_content("application/json", call->answer, out);
    else if (call->status == 200)
        write_content("text/plain", NULL, out);
    buf_byte(out, '}');
    for (size_t i = 0; i < SERVICE_PROBLEMS_MAX && call->problems[i]; i++) {
        const unsigned status = call->problems[i];
        buf_byte(out, ',');
        write_response(status, out);
        write_content("application/problem+json", "Problem", out);
        buf_byte(out, '}');
    }
    buf_byte(out, '}');
}

static void write_call(const struct service_call *call, struct buf *out)
{
    buf_format(out, "\"%s\":{\"operationId\":\"%s\",\"tags\":[\"%s\"],\"summary\":",
               method_member(call->route.method), call->operation, call->tag);
    json_write_string(out, bytes_of_text(call->summary));
    buf_text(out, ",\"description\":");
    json_write_string(out, bytes_of_text(call->description));
    write_parameters(call, out);
    if (call->request) {
        buf_text(out, ",\"requestBody\":{\"required\":true");
        write_content("application/json", call->request, out);
        buf_byte(out, '}');
    }
    write_responses(call, out);
    buf_byte(out, '}');
}

/* Calls of one path stand beside each other in the table. */
static void write_paths(struct buf *out)
{
    const char *before = "";
    for (size_t i = 0; i < service_call_count; i++) {
        const struct service_call *call = &service_calls[i];
        if (strcmp(before, call->route.pattern) == 0) {
            buf_byte(out, ',');
        } else {
            buf_text(out, i ? "}," : "");
            write_path(call, out);
        }
        write_call(call, out);
        before = call->route.pattern;
    }
    buf_byte(out, '}');
}

/* The server is the one that answered: a vault does not know by which names it is reached. */
static const char head[] =
    "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"Citizen Vault, for services\","
    "\"version\":\"" VAULT_VERSION "\",\"description\":\"A registered service reads fields of a "
    "citizen that the policy allows it for a purpose and, where the basis is consent, the citizen "
    "allows. Every read is in an access log that nobody can quietly change.\","
    "\"contact\":{\"name\":\"The city that runs this vault\"}},"
    "\"servers\":[{\"url\":\"/\",\"description\":\"Where this description comes from\"}],"
    "\"security\":[{\"certificate\":[]}],\"tags\":[";

static void write_tags(struct buf *out)
{
    for (size_t i = 0; i < service_tag_count; i++)
        buf_format(out, "%s{\"name\":\"%s\",\"description\":\"%s\"}", i ? "," : "",
                   service_tags[i].name, service_tags[i].description);
}

void service_openapi_write(struct buf *out)
{
    buf_text(out, head);
    write_tags(out);
    buf_text(out, "],\"paths\":{");
    write_paths(out);
    buf_text(out, "},\"components\":");
    buf_bytes(out, assets_service_components());
    buf_byte(out, '}');
}

void service_get_openapi(const struct route_call *call, struct http_answer *answer)
{
    VAULT_AUTO(service_release) struct service_hold hold = {0};
    if (!service_identify(call, answer, &hold))
        return;
    service_openapi_write(&answer->body);
    answer->content_type = "application/json";
}
