#include "lossy_folder.h"

#include <dirent.h>
#include <errno.h>
#include <stddef.h>

bool lossy_folder_refuses;
unsigned lossy_folder_names;

struct dirent *__real_readdir(DIR *folder);
struct dirent *__wrap_readdir(DIR *folder);

struct dirent *__wrap_readdir(DIR *folder)
{
    if (!lossy_folder_refuses || lossy_folder_names-- > 0)
        return __real_readdir(folder);
    errno = EIO;
    return NULL;
}
