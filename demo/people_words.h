/*
 * people_words - what people.c draws the values of single fields from; a part of it, included once.
 *
 * A field that is in none of these tables gets a value by its type alone.
 */

/* --- Places: what has to fit together in one address. -------------------------------------------
 */

/* The streets of people.c are in none of them. */
static const struct place {
    const char *postcode;
    const char *city;
    const char *commune; /* INSEE code */
    const char *priority_district;
} places[] = {
    {"35000", "Rennes", "35238", "aucun"},
    {"35200", "Rennes", "35238", "aucun"},
    {"35700", "Rennes", "35238", "aucun"},
    {"35000", "Rennes", "35238", "aucun"},
    {"35200", "Rennes", "35238", "aucun"},
    {"35700", "Rennes", "35238", "aucun"},
    {"35000", "Rennes", "35238", "Cleunay"},
    {"35200", "Rennes", "35238", "Le Blosne"},
    {"35200", "Rennes", "35238", "Bréquigny–Champs-Manceaux–Les Clôteaux"},
    {"35700", "Rennes", "35238", "Maurepas"},
    {"35000", "Rennes", "35238", "Villejean"},
    {"35510", "Cesson-Sévigné", "35051", "aucun"},
    {"35136", "Saint-Jacques-de-la-Lande", "35281", "aucun"},
    {"35400", "Saint-Malo", "35288", "aucun"},
};

/* --- Words: one of them for each citizen; what is more frequent stands there more often. --------
 */

static const char *const employment_statuses[] = {"sans emploi", "sans emploi", "en emploi",
                                                  "en emploi",   "en emploi",   "en formation",
                                                  "retraite"};
static const char *const education_levels[] = {"CITE 0-2 : collège ou moins",
                                               "CITE 3-4 : baccalauréat ou équivalent",
                                               "CITE 5-8 : études supérieures"};
static const char *const skills[] = {"accueillir du public",
                                     "conduire un chariot élévateur",
                                     "cuisiner pour une collectivité",
                                     "entretenir des espaces verts",
                                     "réparer des vélos",
                                     "tenir une caisse"};
static const char *const emails[] = {"exemple@courriel.example", "essai@courriel.example",
                                     "demonstration@courriel.example"};
/* From the range that is set aside for works of fiction. */
static const char *const phones[] = {"0199000001", "0199000002", "0199000003", "0261910001"};

static const char *const genders[] = {"femme", "femme", "homme", "homme", "non communiqué"};
static const char *const jobs[] = {"aide à domicile", "boulangerie", "jardins publics",
                                   "maçonnerie",      "mécanique",   "petite enfance"};
static const char *const availabilities[] = {"de suite", "dans un mois", "le matin", "le soir"};
static const char *const travel_radii[] = {"5 km", "10 km", "20 km", "toute la métropole"};
static const char *const sectors[] = {"alimentation", "artisanat", "services", "numérique"};
static const char *const stages[] = {"idée", "étude", "lancement"};
static const char *const charters[] = {"charte 2025", "charte 2026"};
static const char *const emergencies[] = {"Nolwenn Exemple, 0199000002",
                                          "Servan Essai, 0199000003"};
static const char *const needs[] = {"logement", "droits", "langue", "garde d'enfants"};

static const struct field_words words_by_field[] = {
    {"identity.given_name", first_names, COUNT_OF(first_names)},
    {"identity.family_name", family_names, COUNT_OF(family_names)},
    {"identity.gender", genders, COUNT_OF(genders)},
    {"contact.email", emails, COUNT_OF(emails)},
    {"contact.phone", phones, COUNT_OF(phones)},
    {"employment.status", employment_statuses, COUNT_OF(employment_statuses)},
    {"employment.skills", skills, COUNT_OF(skills)},
    {"employment.interests", jobs, COUNT_OF(jobs)},
    {"employment.availability", availabilities, COUNT_OF(availabilities)},
    {"employment.travel_radius", travel_radii, COUNT_OF(travel_radii)},
    {"education.level", education_levels, COUNT_OF(education_levels)},
    {"economy.project_sector", sectors, COUNT_OF(sectors)},
    {"economy.project_stage", stages, COUNT_OF(stages)},
    {"making.charter_version", charters, COUNT_OF(charters)},
    {"making.emergency_contact", emergencies, COUNT_OF(emergencies)},
    {"social.need_theme", needs, COUNT_OF(needs)},
};

/* --- Ranges: of a number, or of a date's years. --------------------------------------------------
 */

static const struct field_range {
    const char *field;
    unsigned low;
    unsigned high;
} ranges_by_field[] = {
    {"identity.birth_date", 1945, 2004},
    {"address.since", 2001, 2025},
    {"household.monthly_resources", 450, 2600},
    {"household.quotient", 200, 1900},
    {"household.size", 1, 6},
    {"mobility.tariff_valid_until", 2030, 2035},
    {"employment.status_since", 2019, 2025},
};

/* --- What only pupils have: everybody here is of age. --------------------------------------------
 */

static const char *const fields_of_pupils[] = {
    "education.class_level",
    "education.school",
    "education.school_city",
    "education.internship_interests",
    "education.internship_week",
    "education.guardian_contact",
    "education.enrolled_rennes_primary",
};
