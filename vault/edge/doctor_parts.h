/*
 * doctor_parts - the doctor's checks, for the table in doctor.c.
 */
#pragma once

#include "vault/edge/doctor.h"

typedef void doctor_check(const struct doctor *doctor, const struct checkup *out);

/* doctor_files.c */
doctor_check doctor_check_config;
doctor_check doctor_check_files;
doctor_check doctor_check_key_files;

/* doctor_certificates.c */
doctor_check doctor_check_certificates;

/* doctor_machine.c */
doctor_check doctor_check_room;
doctor_check doctor_check_clock;
