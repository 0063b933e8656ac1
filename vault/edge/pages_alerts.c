#include "pages_alerts.h"

#include "pages_event.h"
#include "pages_words.h"

static const char *const alert_texts[ALERT_KIND_COUNT] = {
    [ALERT_FIRST] = "alerts.first",
    [ALERT_MANY] = "alerts.many",
    [ALERT_DENIED] = "alerts.denied",
};

static void put_alert(void *context, const struct alert *alert)
{
    struct visit *visit = context;
    char date[WORDS_CHARS];
    const bool once = alert->kind == ALERT_DENIED && alert->count == 1;
    json_t *item = page_item(visit, json_object_get(visit->data, "alerts"));
    event_put_service(visit, item, alert->service);
    words_date(visit, alert->at_s, date);
    page_text(visit, item, "alert_text", once ? "alerts.denied_once" : alert_texts[alert->kind]);
    page_text(visit, item, "alert_date", date);
    page_number(visit, item, "count", alert->count);
    page_number(visit, item, "usual", alert->usual);
    page_flag(visit, visit->data, "alerts_shown");
}

void alerts_put(const struct alert_watch *watch, struct visit *visit)
{
    page_list(visit, visit->data, "alerts");
    alert_tell(watch, put_alert, visit);
}

enum vault_code alerts_put_count(struct visit *visit, struct vault_error *err)
{
    size_t count = 0;
    VAULT_TRY(alert_count(visit->pages->vault, &visit->session.citizen, &count, err));
    page_number(visit, visit->data, "alerts_count", (int64_t)count);
    if (count)
        page_text(visit, visit->data, "alerts_text",
                  count == 1 ? "home.alerts_one" : "home.alerts_some");
    return VAULT_OK;
}
