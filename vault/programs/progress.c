#include "progress.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vault/base/clock.h"

#define BAR_CHARS  30
#define LINE_CHARS 256

static struct {
    bool draws;
    int64_t began_ms;
    int64_t drawn_ms;
    int chars; /* on the terminal now */
} shown;

static bool can_draw(void)
{
    const char *terminal = getenv("TERM");
    return isatty(STDERR_FILENO) == 1 && terminal && *terminal && strcmp(terminal, "dumb") != 0;
}

/* One less than the terminal has: in the last column some go on to the next line. */
static int width(void)
{
    struct winsize size;
    const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
    const int columns = known ? size.ws_col - 1 : 79;
    return columns < LINE_CHARS ? columns : LINE_CHARS - 1;
}

void progress_begin(void)
{
    progress_clear();
    shown.draws = can_draw();
    shown.began_ms = clock_monotonic_ms();
    shown.drawn_ms = 0;
}

static bool is_due(void)
{
    const int64_t now_ms = clock_monotonic_ms();
    if (!shown.draws || now_ms - shown.began_ms < PROGRESS_AFTER_MS ||
        now_ms - shown.drawn_ms < PROGRESS_EACH_MS)
        return false;
    shown.drawn_ms = now_ms;
    return true;
}

/* "[####      ]  45 %  ", or nothing where nobody knows how much there is. */
static void write_bar(char out[LINE_CHARS], uint64_t done, uint64_t all)
{
    static const char full[] = "##############################";
    _Static_assert(sizeof full - 1 == BAR_CHARS, "as long as the bar");
    out[0] = 0;
    if (!all)
        return;
    const double part = done < all ? (double)done / (double)all : 1;
    const int chars = (int)(part * BAR_CHARS);
    snprintf(out, LINE_CHARS, "[%.*s%*s] %3d %%  ", chars, full, BAR_CHARS - chars, "",
             (int)(part * 100));
}

void progress_show(uint64_t done, uint64_t all, const char *format, ...)
{
    char line[LINE_CHARS];
    char words[LINE_CHARS];
    if (!is_due())
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    write_bar(line, done, all);
    const size_t used = strlen(line);
    snprintf(line + used, sizeof line - used, "%s", words);
    const int most = width();
    int chars = (int)strlen(line);
    if (chars > most)
        chars = most;
    fprintf(stderr, "\r%.*s%*s", chars, line, shown.chars > chars ? shown.chars - chars : 0, "");
    shown.chars = chars;
}

void progress_clear(void)
{
    if (shown.chars)
        fprintf(stderr, "\r%*s\r", shown.chars, "");
    shown.chars = 0;
}
