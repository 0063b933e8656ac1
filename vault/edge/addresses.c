#include "addresses.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "vault/crypto/secret.h"

#define CHAINS        4096U
#define MINUTE_MS     60000
#define TIDY_AFTER_MS 1000 /* looking through all of them costs: not for each newcomer */

struct place {
    struct address_key key;
    struct place *next; /* in its chain, or among the free ones */
    unsigned connections;
    int64_t left; /* requests, in 60000ths */
    int64_t at_ms;
};

struct addresses {
    unsigned connections_max;
    int64_t requests_per_minute;
    uint64_t seed; /* nobody outside chooses who shares a chain */
    pthread_mutex_t mutex;
    struct place *chains[CHAINS];
    struct place *free;
    unsigned known;
    int64_t tidied_ms;
    struct place places[ADDRESSES_MAX];
};

struct address_key address_key_of(const struct sockaddr *address)
{
    struct address_key key = {{0}};
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof v6);
        memcpy(key.bytes, &v6.sin6_addr, IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr) ? 16 : 8);
    } else if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        key.bytes[10] = 0xff;
        key.bytes[11] = 0xff;
        memcpy(key.bytes + 12, &v4.sin_addr, 4);
    }
    return key;
}

enum vault_code addresses_new(unsigned connections_max, unsigned requests_per_minute,
                              struct addresses **out, struct vault_error *err)
{
    struct addresses *addresses = calloc(1, sizeof *addresses);
    if (!addresses)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    addresses->connections_max = connections_max;
    addresses->requests_per_minute = requests_per_minute;
    random_bytes(&addresses->seed, sizeof addresses->seed);
    pthread_mutex_init(&addresses->mutex, NULL);
    for (size_t i = 0; i < ADDRESSES_MAX; i++) {
        addresses->places[i].next = addresses->free;
        addresses->free = &addresses->places[i];
    }
    *out = addresses;
    return VAULT_OK;
}

void addresses_free(struct addresses **addresses)
{
    if (*addresses)
        pthread_mutex_destroy(&(*addresses)->mutex);
    free(*addresses);
    *addresses = NULL;
}

static struct place **chain_of(struct addresses *addresses, const struct address_key *key)
{
    uint64_t hash = addresses->seed;
    for (size_t i = 0; i < sizeof key->bytes; i++) {
        hash = (hash ^ key->bytes[i]) * 0x9e3779b97f4a7c15U;
        hash ^= hash >> 29;
    }
    return &addresses->chains[hash % CHAINS];
}

static void refill(const struct addresses *addresses, struct place *place, int64_t now_ms)
{
    const int64_t full = addresses->requests_per_minute * MINUTE_MS;
    const int64_t passed = now_ms - place->at_ms;
    place->left =
        passed >= MINUTE_MS ? full : place->left + passed * addresses->requests_per_minute;
    if (place->left > full)
        place->left = full;
    place->at_ms = now_ms;
}

/* Nothing is to be remembered of it any more. */
static bool is_fresh(const struct addresses *addresses, struct place *place, int64_t now_ms)
{
    refill(addresses, place, now_ms);
    return place->connections == 0 && place->left == addresses->requests_per_minute * MINUTE_MS;
}

static void tidy(struct addresses *addresses, int64_t now_ms)
{
    if (now_ms - addresses->tidied_ms < TIDY_AFTER_MS)
        return;
    addresses->tidied_ms = now_ms;
    for (size_t i = 0; i < CHAINS; i++) {
        struct place **link = &addresses->chains[i];
        while (*link) {
            struct place *place = *link;
            if (!is_fresh(addresses, place, now_ms)) {
                link = &place->next;
                continue;
            }
            *link = place->next;
            place->next = addresses->free;
            addresses->free = place;
            addresses->known--;
        }
    }
}

static struct place *find(struct addresses *addresses, const struct address_key *key)
{
    struct place *place = *chain_of(addresses, key);
    while (place && memcmp(&place->key, key, sizeof *key) != 0)
        place = place->next;
    return place;
}

/* NULL if there is no room. */
static struct place *find_or_take(struct addresses *addresses, const struct address_key *key,
                                  int64_t now_ms)
{
    struct place *place = find(addresses, key);
    if (place)
        return place;
    if (!addresses->free)
        tidy(addresses, now_ms);
    place = addresses->free;
    if (!place)
        return NULL;
    struct place **chain = chain_of(addresses, key);
    addresses->free = place->next;
    addresses->known++;
    *place = (struct place){.key = *key,
                            .next = *chain,
                            .left = addresses->requests_per_minute * MINUTE_MS,
                            .at_ms = now_ms};
    *chain = place;
    return place;
}

bool addresses_enter(struct addresses *addresses, const struct address_key *key, int64_t now_ms)
{
    pthread_mutex_lock(&addresses->mutex);
    struct place *place = find_or_take(addresses, key, now_ms);
    const bool may =
        !place || !addresses->connections_max || place->connections < addresses->connections_max;
    if (place && may)
        place->connections++;
    pthread_mutex_unlock(&addresses->mutex);
    return may;
}

void addresses_leave(struct addresses *addresses, const struct address_key *key, int64_t now_ms)
{
    pthread_mutex_lock(&addresses->mutex);
    struct place *place = find(addresses, key);
    if (place && place->connections)
        place->connections--;
    if (addresses->known > ADDRESSES_MAX / 2)
        tidy(addresses, now_ms);
    pthread_mutex_unlock(&addresses->mutex);
}

bool addresses_ask(struct addresses *addresses, const struct address_key *key, int64_t now_ms)
{
    bool may = true;
    if (!addresses->requests_per_minute)
        return true;
    pthread_mutex_lock(&addresses->mutex);
    struct place *place = find_or_take(addresses, key, now_ms);
    if (place) {
        refill(addresses, place, now_ms);
        may = place->left >= MINUTE_MS;
        place->left -= may ? MINUTE_MS : 0;
    }
    pthread_mutex_unlock(&addresses->mutex);
    return may;
}

unsigned addresses_known(struct addresses *addresses)
{
    pthread_mutex_lock(&addresses->mutex);
    const unsigned known = addresses->known;
    pthread_mutex_unlock(&addresses->mutex);
    return known;
}
