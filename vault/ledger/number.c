#include "number.h"

bool number_read(struct bytes text, uint64_t max, uint64_t *out)
{
    if (text.size == 0 || text.size > 19 || (text.data[0] == '0' && text.size > 1))
        return false;
    uint64_t number = 0; /* 19 digits always fit */
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        number = number * 10 + (uint64_t)(text.data[i] - '0');
    }
    if (number > max)
        return false;
    *out = number;
    return true;
}
