/*
 * policy_command - "vaultctl policy …", the part that works offline and needs no vault.
 *
 *     check DIR [--json]          load, resolve, compile, run the tests, print the findings
 *     test DIR                    the bundle's own tests
 *     decide DIR                  requests on standard input, one JSON object a line
 *     explain DIR [--lang fr|en]  one request on standard input, explained in prose
 *     diff OLD NEW [--json] [--lang fr|en]  what the new bundle changes for people
 *     bench DIR --requests FILE [--repeat N]  how long decisions take
 *
 * argv[0] is "policy". Returns the exit code: 0 done, 1 the answer is no, 64 usage, 65 the bundle
 * cannot be loaded, 74 input or output failed.
 */
#pragma once

int policy_command(int argc, char **argv);
