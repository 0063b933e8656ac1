/*
 * lossy_folder - a disk that does not give a folder to its end: readdir() of a program that links
 * this.
 */
#pragma once

#include <stdbool.h>

extern bool lossy_folder_refuses;   /* false: every name is given */
extern unsigned lossy_folder_names; /* so many are given still, then EIO */
