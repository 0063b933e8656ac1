/* "vaultctl policy" as a program of its own, for the tests of this floor. */
#include "policy_command.h"

int main(int argc, char **argv)
{
    return policy_command(argc, argv);
}
