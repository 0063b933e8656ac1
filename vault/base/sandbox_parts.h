/*
 * sandbox_parts - the two halves of sandbox.h, for it alone.
 */
#pragma once

#include "vault/base/sandbox.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_RELAXED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define SANDBOX_RELAXED 1
#endif
#endif
#ifndef SANDBOX_RELAXED
#define SANDBOX_RELAXED 0
#endif

/* sandbox_files.c: go by that Landlock ABI from now on. */
enum vault_code sandbox_restrict_files(const struct sandbox_options *options, int abi,
                                       struct vault_error *err) VAULT_MUST_CHECK;

/* sandbox_calls.c: allow the profile's calls alone from now on, in every thread. */
enum vault_code sandbox_restrict_calls(const struct sandbox_options *options,
                                       struct vault_error *err) VAULT_MUST_CHECK;
