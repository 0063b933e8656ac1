#include "phrases.h"

#include <assert.h>
#include <string.h>

const struct reason_phrases reason_phrases[REASON_COUNT] = {
    [REASON_RELEASED] = {{{"la donnée est transmise", "it is released"}}, {{"rien", "nothing"}}},
    [REASON_UNKNOWN_FIELD] =
        {{{"le catalogue ne connaît pas cette donnée", "the catalogue does not know this field"}},
         {{"le service demande une donnée du catalogue, ou le catalogue la définit",
           "the service asks for a field of the catalogue, or the catalogue defines it"}}},
    [REASON_BAD_FORM] = {{{"cette donnée n'existe pas sous la forme demandée",
                           "this field does not exist in the form that was asked for"}},
                         {{"le service demande une forme qui existe pour cette donnée",
                           "the service asks for a form that the field has"}}},
    [REASON_PURPOSE_NOT_REGISTERED] =
        {{{"le service n'est pas enregistré pour la finalité {purpose}",
           "the service is not registered for the purpose {purpose}"}},
         {{"l'enregistrement du service comprend cette finalité",
           "the service's registration includes this purpose"}}},
    [REASON_FORBIDDEN] =
        {{{"une règle l'interdit, et une interdiction l'emporte sur toute permission",
           "a rule forbids it, and what is forbidden is not released, whatever else permits it"}},
         {{"les circonstances ne sont plus celles de l'interdiction, ou la politique change",
           "the circumstances are no longer those of the rule that forbids, or the policy "
           "changes"}}},
    [REASON_FORBIDDEN_UNKNOWN] =
        {{{"une règle l'interdit, parce qu'une circonstance n'est pas connue",
           "a rule forbids it, because a circumstance is not known"}},
         {{"le service fait connaître ce qui est inconnu, et l'interdiction n'y correspond pas",
           "what is unknown is made known, and turns out not to be what the rule forbids"}}},
    [REASON_NO_RULE] = {{{"aucune règle ne permet à ce service de recevoir {field} pour {purpose}",
                          "no rule permits this service to receive {field} for {purpose}"}},
                        {{"une nouvelle version de la politique le permet",
                          "a new version of the policy permits it"}}},
    [REASON_NOT_IN_FORCE] =
        {{{"la règle qui le permettrait n'est pas en vigueur à cette date",
           "the rule that would permit it is not in force at that time"}},
         {{"la demande est faite pendant la période de la règle, et le reste est rempli",
           "it is asked for during the rule's period, and what else is missing is there"}}},
    [REASON_CONDITIONS] = {{{"les conditions de la règle qui le permettrait ne sont pas remplies",
                             "the conditions of the rule that would permit it are not met"}},
                           {{"tout ce qui manque à l'une de ces règles est rempli",
                             "everything that one of these rules misses is there"}}},
    [REASON_OBJECTION] =
        {{{"la personne s'est opposée à ce traitement", "the citizen has objected to this use"}},
         {{"la personne retire son opposition", "the citizen withdraws the objection"}}},
    [REASON_NO_CONSENT] = {{{"la personne n'a pas donné de consentement",
                             "the citizen has given no consent"}},
                           {{"la personne consent à transmettre {field} pour {purpose}",
                             "the citizen consents to the release of {field} for {purpose}"}}},
    [REASON_REFUSED] =
        {{{"la personne a refusé", "the citizen has refused"}},
         {{"la personne change d'avis et consent à transmettre {field} pour {purpose}",
           "the citizen decides otherwise and consents to the release of {field} for {purpose}"}}},
    [REASON_WITHDRAWN] = {{{"la personne a retiré son consentement",
                            "the citizen has withdrawn the consent"}},
                          {{"la personne consent de nouveau à transmettre {field} pour {purpose}",
                            "the citizen consents again to the release of {field} for {purpose}"}}},
    [REASON_EXPIRED] = {{{"le consentement a expiré", "the consent has expired"}},
                        {{"la personne renouvelle son consentement pour {field} et {purpose}",
                          "the citizen renews the consent to {field} for {purpose}"}}},
    [REASON_SUSPENDED] = {{{"le consentement est suspendu", "the consent is suspended"}},
                          {{"la personne lève la suspension", "the citizen ends the suspension"}}},
    [REASON_USED_UP] = {{{"le consentement a servi autant de fois qu'il le permettait",
                          "the consent has been used as often as it allowed"}},
                        {{"la personne consent de nouveau à transmettre {field} pour {purpose}",
                          "the citizen consents again to the release of {field} for {purpose}"}}},
    [REASON_OUT_OF_SCOPE] =
        {{{"le consentement de la personne ne comprend pas {field}",
           "the citizen's consent does not cover {field}"}},
         {{"la personne étend son consentement à {field} pour {purpose}",
           "the citizen consents to the release of {field} for {purpose} as well"}}},
    [REASON_OBLIGATION] = {{{"une obligation attachée à la transmission ne peut pas être remplie",
                             "an obligation that comes with the release cannot be met"}},
                           {{"l'obligation peut être remplie", "the obligation can be met"}}},
    [REASON_NO_VALUE] = {{{"le coffre n'a pas de valeur pour cette donnée",
                           "the vault has no value for this field"}},
                         {{"la donnée est déposée dans le coffre",
                           "a value is put into the vault"}}},
    [REASON_ERROR] = {{{"la valeur ne peut pas être mise sous la forme permise",
                        "the value cannot be put into the form that is permitted"}},
                      {{"la valeur du coffre est corrigée",
                        "the value in the vault is corrected"}}},
    [REASON_POLICY_UNAVAILABLE] = {{{"la politique n'est pas en vigueur à cette date",
                                     "the policy is not in force at that time"}},
                                   {{"une politique en vigueur est activée",
                                     "a policy that is in force is activated"}}},
};

const struct phrase form_phrases[FORM_COUNT] = {
    [FORM_AS_IS] = {{"telle quelle", "as it is"}},
    [FORM_MONTH] = {{"le mois et l'année", "month and year"}},
    [FORM_YEAR] = {{"l'année seulement", "the year only"}},
    [FORM_AGE_BAND] = {{"une tranche d'âge", "an age band"}},
    [FORM_INITIAL] = {{"l'initiale", "the first letter"}},
    [FORM_LAST4] = {{"les quatre derniers caractères", "the last four characters"}},
    [FORM_PSEUDONYM] = {{"un pseudonyme", "a pseudonym"}},
    [FORM_STREET] = {{"la rue, sans numéro", "the street, without the number"}},
    [FORM_POSTCODE] = {{"le code postal et la ville", "postcode and city"}},
    [FORM_CITY] = {{"la ville", "the city"}},
    [FORM_DEPARTMENT] = {{"le département", "the department"}},
    [FORM_ROUNDED] = {{"arrondie", "rounded"}},
    [FORM_BAND] = {{"une tranche", "a band"}},
    [FORM_SIGN] = {{"le signe", "the sign"}},
    [FORM_MONTHLY] = {{"les totaux par mois", "totals by month"}},
    [FORM_TOTAL] = {{"le total", "the total"}},
    [FORM_PRESENT] = {{"seulement qu'elle existe", "only that it exists"}},
};

const struct phrase basis_phrases[POLICY_BASIS_COUNT] = {
    [POLICY_CONSENT] = {{"consentement", "consent"}},
    [POLICY_CONTRACT] = {{"contrat", "contract"}},
    [POLICY_LEGAL_OBLIGATION] = {{"obligation légale", "legal obligation"}},
    [POLICY_VITAL_INTERESTS] = {{"intérêts vitaux", "vital interests"}},
    [POLICY_PUBLIC_TASK] = {{"mission d'intérêt public", "public task"}},
    [POLICY_LEGITIMATE_INTERESTS] = {{"intérêts légitimes", "legitimate interests"}},
};

const struct phrase sentences[SENTENCE_COUNT] = {
    [SAY_REQUEST] = {{"Demande {id}, le {time} : le service {service} demande, pour {purpose} :\n",
                      "Request {id}, {time}: the service {service} asks, for {purpose}:\n"}},
    [SAY_RELEASED] = {{"\n{field} : transmise, forme « {form} » ({words}).\n",
                       "\n{field}: released in the form \"{form}\" ({words}).\n"}},
    [SAY_NOT_RELEASED] = {{"\n{field} : non transmise ({reason}) : {what}.\n",
                           "\n{field}: not released ({reason}): {what}.\n"}},
    [SAY_RULES_RELEASE] = {{"  Ce qui le permet, rien ne l'interdisant :\n",
                            "  What permits it, while nothing forbids it:\n"}},
    [SAY_RULES_FORBID] = {{"  Ce qui l'interdit :\n", "  What forbids it:\n"}},
    [SAY_RULES_NEAREST] = {{"  Ce qui le permettrait, et ce qui a manqué :\n",
                            "  What would permit it, and what was missing:\n"}},
    [SAY_RULE] = {{"  - règle {rule} : {why}\n", "  - rule {rule}: {why}\n"}},
    [SAY_RULE_OF_BASIS] = {{"  - règle {rule} (base légale : {basis}) : {why}\n",
                            "  - rule {rule} (lawful basis: {basis}): {why}\n"}},
    [SAY_NO_WHY] = {{"la politique ne dit pas pourquoi", "the policy does not say why"}},
    [SAY_DUTIES] = {{"  Obligations qui l'accompagnent :", "  Obligations that come with it:"}},
    [SAY_CHANGE] = {{"  Ce qui devrait changer : {change}.\n",
                     "  What would have to change: {change}.\n"}},
    [SAY_NEEDS_FROM] = {{"    il manque : la règle n'est en vigueur qu'à partir du {time}\n",
                         "    missing: the rule is in force only from {time} on\n"}},
    [SAY_NEEDS_UNTIL] = {{"    il manque : la règle n'est plus en vigueur depuis le {time}\n",
                          "    missing: the rule has not been in force since {time}\n"}},
    [SAY_NEEDS_TRUE] = {{"    il manque : {atom} doit être vrai ; {found}\n",
                         "    missing: {atom} must be true; {found}\n"}},
    [SAY_NEEDS_FALSE] = {{"    il manque : {atom} doit être faux ; {found}\n",
                          "    missing: {atom} must be false; {found}\n"}},
    [SAY_NEEDS_AT_LEAST] = {{"    il manque : {atom} doit être au moins {value} ; {found}\n",
                             "    missing: {atom} must be at least {value}; {found}\n"}},
    [SAY_NEEDS_VALUE] = {{"    il manque : {atom} doit comprendre {value} ; {found}\n",
                          "    missing: {atom} must include {value}; {found}\n"}},
    [SAY_NEEDS_CONSENT] =
        {{"    il manque : un consentement valable, couvrant {field}, pour {purpose} ({what})\n",
          "    missing: a consent covering {field} for {purpose} ({what})\n"}},
    [SAY_NEEDS_NO_OBJECTION] = {{"    il manque : que la personne ne s'oppose pas à {purpose}\n",
                                 "    missing: that the citizen does not object to {purpose}\n"}},
    [SAY_NEEDS_DUTY] = {{"    il manque : l'obligation {duty} ne peut pas être remplie\n",
                         "    missing: the obligation {duty} cannot be met\n"}},
    [SAY_IS_UNKNOWN] = {{"on ne le sait pas", "it is not known"}},
    [SAY_IS_OTHERWISE] = {{"ce n'est pas le cas", "it is not so"}},
    [SAY_ONE_CLASS] = {{"un service de la classe {classes}", "a service of the class {classes}"}},
    [SAY_SEVERAL_CLASSES] = {{"un service qui a les classes {classes}",
                              "a service that has the classes {classes}"}},
    [SAY_SERVICE] = {{"le service {service}", "the service {service}"}},
    [SAY_SERVICE_OF] = {{"le service {service} avec {classes}",
                         "the service {service} with {classes}"}},
    [SAY_GAINS] = {{"GAGNE : {who} reçoit désormais {field} pour {purpose}, forme « {new} »",
                    "GAINS: {who} now receives {field} for {purpose}, in the form \"{new}\""}},
    [SAY_LOSES] = {{"PERD : {who} ne reçoit plus {field} pour {purpose}, forme « {old} » jusqu'ici",
                    "LOSES: {who} no longer receives {field} for {purpose}, so far in the form "
                    "\"{old}\""}},
    [SAY_WEAKER] = {{"PLUS PRÉCIS : {who} reçoit {field} pour {purpose} sous la forme « {new} » au "
                     "lieu de « {old} »",
                     "WEAKER: {who} receives {field} for {purpose} in the form \"{new}\" instead "
                     "of \"{old}\""}},
    [SAY_STRICTER] = {{"MOINS PRÉCIS : {who} reçoit {field} pour {purpose} sous la forme « {new} » "
                       "au lieu de « {old} »",
                       "STRICTER: {who} receives {field} for {purpose} in the form \"{new}\" "
                       "instead of \"{old}\""}},
    [SAY_OTHER_DUTIES] =
        {{"OBLIGATIONS : {who} reçoit {field} pour {purpose} avec {new} au lieu de "
          "{old}",
          "OBLIGATIONS: {who} receives {field} for {purpose} with {new} instead "
          "of {old}"}},
    [SAY_NO_DUTIES] = {{"aucune obligation", "no obligation"}},
    [SAY_BY_RULES] = {{" (règles : {rules})", " (rules: {rules})"}},
    [SAY_WITNESS] = {{".\n  par exemple : {witness}\n", ".\n  for instance: {witness}\n"}},
    [SAY_MAY_DEPOSIT] = {{"DÉPÔT : {who} peut désormais écrire {field} pour {purpose}",
                          "DEPOSIT: {who} may now write {field} for {purpose}"}},
    [SAY_MAY_NOT_DEPOSIT] = {{"DÉPÔT : {who} ne peut plus écrire {field} pour {purpose}",
                              "DEPOSIT: {who} may no longer write {field} for {purpose}"}},
    [SAY_DERIVE] = {{"CALCUL : {what} se calcule autrement : {new} au lieu de {old}",
                     "COMPUTED: {what} is computed otherwise: {new} instead of {old}"}},
    [SAY_TYPE] = {{"TYPE : {what} est de type {new} au lieu de {old}",
                   "TYPE: {what} has the type {new} instead of {old}"}},
    [SAY_SENSITIVITY] = {{"SENSIBILITÉ : {what} est {new} au lieu de {old}",
                          "SENSITIVITY: {what} is {new} instead of {old}"}},
    [SAY_FORM] = {{"FORME : pour le type {what}, {new} au lieu de {old}",
                   "FORM: for the type {what}, {new} instead of {old}"}},
    [SAY_CONSENT_DAYS] = {{"CONSENTEMENT : pour {what}, au plus {new} jours au lieu de {old}",
                           "CONSENT: for {what}, at most {new} days instead of {old}"}},
    [SAY_EXPIRES] = {{"FIN : la politique cesse de décider à {new} au lieu de {old}",
                      "END: the bundle stops deciding at {new} instead of {old}"}},
    [SAY_WIDER] = {{" ; c'est plus large, ou ne se compare pas\n",
                    "; this is wider, or cannot be compared\n"}},
    [SAY_BESIDES] = {{"{count} différences en dehors des réponses, dont {wider} plus larges\n",
                      "{count} differences besides the answers, {wider} of them wider\n"}},
    [SAY_SAME] = {{"Les deux politiques répondent de même à toute demande.\n",
                   "Both policies answer every request in the same way.\n"}},
    [SAY_COMPUTED] =
        {{"Les mêmes données sont transmises aux mêmes services, sous les mêmes formes ; "
          "mais les valeurs peuvent être autres, car elles ne se calculent ou ne se "
          "lisent plus de même :\n",
          "The same fields are released to the same services, in the same forms; but "
          "values may be others, since they are computed or read otherwise:\n"}},
    [SAY_COUNTS] = {{"{gains} gagnent, {loses} perdent, {weaker} plus précis, {stricter} moins "
                     "précis, {duties} avec d'autres obligations\n",
                     "{gains} gain, {loses} lose, {weaker} weaker, {stricter} stricter, {duties} "
                     "under other obligations\n"}},
    [SAY_CUT] = {{"La liste s'arrête ici ; il y en a d'autres.\n",
                  "The list ends here; there are more.\n"}},
    [SAY_FORBID_UNKNOWN] = {{"    n'est pas connu : {atom}\n", "    not known: {atom}\n"}},
};

static const char *text_of(const struct place places[], struct bytes name)
{
    while (places->name && !bytes_equal(bytes_of_text(places->name), name))
        places++;
    assert(places->name);
    return places->text;
}

void phrase_write(struct buf *out, const char *phrase, const struct place places[])
{
    for (const char *open = strchr(phrase, '{'); open; open = strchr(phrase, '{')) {
        const char *close = strchr(open, '}');
        const struct bytes name = {(const uint8_t *)open + 1, (size_t)(close - open - 1)};
        buf_append(out, phrase, (size_t)(open - phrase));
        buf_text(out, text_of(places, name));
        phrase = close + 1;
    }
    buf_text(out, phrase);
}
