/*
 * policy_command - "vaultctl policy …", the part that works offline and needs no vault.
 *
 *     check DIR [--json]    load, resolve, compile, run the tests, print findings and the worst
 * cell test DIR              the bundle's own tests decide DIR            requests from standard
 * input, one JSON object a line, answers to output
 *
 * argv[0] is "policy". Returns the exit code: 0 done, 1 the answer is no, 64 usage, 65 the bundle
 * cannot be loaded, 74 input or output failed.
 */
#pragma once

int policy_command(int argc, char **argv);
