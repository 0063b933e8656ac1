/*
 * vaultctl citizen schema: what an import takes, or what an export is, as JSON Schema.
 */
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "programs/schemas.h"

int ctl_citizen_schema(const struct ctl *ctl, int argc, char **argv)
{
    (void)ctl;
    char name[32];
    snprintf(name, sizeof name, "%s.json", argc == 2 ? argv[1] : "");
    for (size_t i = 0; i < schemas_count; i++) {
        if (strcmp(schemas[i].name, name) == 0)
            return fputs(schemas[i].text, stdout) < 0 ? vault_code_exit(VAULT_IO) : 0;
    }
    return ctl_usage("citizen schema takes import or export");
}
