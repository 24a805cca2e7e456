/* secrets.h - settings that people may read without the secrets in them, and write back as read.
 *
 * A secret is the string under a member called secret, password, passphrase, token, api_key,
 * apikey, access_key, private_key or authorization, or ending in _ and one of these, letters' case
 * aside; and what stands before the @ of a URL, behind its colon if it has one. It is shown as ***.
 * Pure; any thread. */
#ifndef MP_SERVICE_SECRETS_H
#define MP_SERVICE_SECRETS_H

#include "base/base.h"

#include <jansson.h>

/* Replaces them, at every depth. */
void mp_secrets_hide(json_t *settings);
/* Puts what is stored (NULL: nothing) where `settings` say ***. An object stands for one that is
 * stored when it has the same place; in a list, when it is the same but for what is hidden, or, if
 * there is none such, has the same place. The address that a secret is for, the member url, must be
 * as it was: nobody has a secret sent elsewhere who cannot read it. INVALID, with the place: there
 * is nothing stored for a ***; settings are then half filled. */
MP_CHECK mp_err mp_secrets_keep(json_t *settings, const json_t *stored, mp_why *why);

#endif
