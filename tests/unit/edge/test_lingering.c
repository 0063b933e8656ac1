#include "lingering.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"

#define PIECE 65536

static struct lingering *lingering;
static char piece[PIECE];

/* Both ends of a connection over loopback. */
static void connect_pair(int *ours, int *theirs)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    const int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *theirs = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listening, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listening, 1), 0);
    assert_int_equal(getsockname(listening, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(connect(*theirs, (struct sockaddr *)&address, sizeof address), 0);
    *ours = accept(listening, NULL, NULL);
    assert_true(*ours >= 0);
    close(listening);
}

/* Their end of a connection whose own end is over, with a word said. */
static int take_one(void)
{
    int ours = -1;
    int theirs = -1;
    connect_pair(&ours, &theirs);
    assert_int_equal(send(ours, "no", 2, MSG_NOSIGNAL), 2);
    lingering_take(lingering, ours);
    close(ours);
    return theirs;
}

static void begin(void)
{
    assert_done(lingering_new(&lingering, &test_error));
}

/* Whether there is something to do within so many ms. */
static bool is_wanted(int ms)
{
    struct pollfd there = {.fd = lingering_fd(lingering), .events = POLLIN};
    return poll(&there, 1, ms) == 1;
}

static bool is_reset(int fd)
{
    struct pollfd there = {.fd = fd};
    return poll(&there, 1, 0) == 1 && there.revents & POLLERR;
}

/* Send so much, with a turn for each piece; false if it is not taken. */
static bool say_pieces(int fd, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (send(fd, piece, sizeof piece, MSG_NOSIGNAL) != PIECE)
            return false;
        lingering_turn(lingering, true);
    }
    return true;
}

static void assert_told(int fd)
{
    char word[3] = "";
    assert_int_equal(recv(fd, word, 2, MSG_WAITALL), 2);
    assert_string_equal(word, "no");
    assert_int_equal(recv(fd, word, 1, 0), 0); /* and its end */
}

static void test_what_comes_late_is_thrown_away_and_the_word_stays(void **state)
{
    (void)state;
    begin();
    const int theirs = take_one();
    assert_false(is_wanted(0));
    assert_true(say_pieces(theirs, 20));
    assert_false(is_reset(theirs));
    assert_told(theirs);
    close(theirs);
    assert_true(is_wanted(1000)); /* they closed */
    lingering_turn(lingering, true);
    assert_false(is_wanted(0));
    lingering_free(&lingering);
    assert_null(lingering);
}

static void test_who_sends_without_end_is_cut_off(void **state)
{
    (void)state;
    begin();
    const int theirs = take_one();
    const bool all_taken = say_pieces(theirs, 4 * LINGER_BYTES_MAX / PIECE);
    assert_true(!all_taken || is_reset(theirs));
    close(theirs);
    lingering_free(&lingering);
}

static void test_who_does_not_close_is_closed_after_a_while(void **state)
{
    (void)state;
    begin();
    const int theirs = take_one();
    lingering_turn(lingering, true);
    assert_int_equal(send(theirs, piece, 1, MSG_NOSIGNAL), 1);
    assert_true(is_wanted(1000));
    lingering_turn(lingering, false);
    assert_true(is_wanted(0)); /* its time has not ended, and nobody said that something came */
    usleep((LINGER_MS + 50) * 1000);
    lingering_turn(lingering, false);
    assert_false(is_wanted(0));
    assert_true(is_reset(theirs)); /* with what they had said unread */
    close(theirs);
    lingering_free(&lingering);
}

static void test_one_too_many_is_closed_at_once(void **state)
{
    (void)state;
    static int theirs[LINGER_MAX + 1];
    begin();
    for (size_t i = 0; i <= LINGER_MAX; i++)
        theirs[i] = take_one();
    for (size_t i = 0; i <= LINGER_MAX; i++) {
        assert_int_equal(send(theirs[i], piece, 1, MSG_NOSIGNAL), 1);
        usleep(1000);
        assert_int_equal(is_reset(theirs[i]), i == LINGER_MAX);
    }
    lingering_free(&lingering);
    for (size_t i = 0; i <= LINGER_MAX; i++)
        close(theirs[i]);
}

int main(void)
{
    return TEST_RUN(test_what_comes_late_is_thrown_away_and_the_word_stays,
                    test_who_sends_without_end_is_cut_off,
                    test_who_does_not_close_is_closed_after_a_while,
                    test_one_too_many_is_closed_at_once);
}
