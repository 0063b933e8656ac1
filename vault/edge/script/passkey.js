// Passkeys: the one thing that pages cannot do without script. It shows the forms marked
// data-passkey, which are hidden until then, asks at data-offer for a challenge, and sends what the
// authenticator says as a form.
'use strict'

const toBytes = (text) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0))

const toText = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer ?? []))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')

const toKeys = (credentials) => credentials.map((id) => ({ type: 'public-key', id: toBytes(id) }))

const send = async (form, address, fields) => {
  const body = new URLSearchParams({ form_token: form.elements.form_token.value, ...fields })
  const answer = await fetch(address, { method: 'POST', body })
  if (!answer.ok) throw new Error(`${address} answered ${answer.status}`)
  return answer.json()
}

const make = async (offer) => {
  const { response } = await navigator.credentials.create({
    publicKey: {
      challenge: toBytes(offer.challenge),
      rp: { id: offer.rp, name: offer.site },
      user: { id: toBytes(offer.user), name: offer.name, displayName: offer.name },
      pubKeyCredParams: [-7, -8, -257].map((alg) => ({ type: 'public-key', alg })),
      authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
      excludeCredentials: toKeys(offer.known),
      attestation: 'none',
    },
  })
  return {
    client_data: toText(response.clientDataJSON),
    authenticator_data: toText(response.getAuthenticatorData()),
  }
}

const use = async (offer) => {
  const { rawId, response } = await navigator.credentials.get({
    publicKey: { challenge: toBytes(offer.challenge), rpId: offer.rp, userVerification: 'required' },
  })
  return {
    credential: toText(rawId),
    client_data: toText(response.clientDataJSON),
    authenticator_data: toText(response.authenticatorData),
    signature: toText(response.signature),
    user: toText(response.userHandle),
  }
}

const typed = (form) => {
  const fields = {}
  for (const name of ['next', 'label']) {
    if (form.elements[name]) fields[name] = form.elements[name].value
  }
  return fields
}

// What went wrong, by the name of the paragraph that says it.
const problems = { NotAllowedError: 'cancelled', AbortError: 'cancelled', InvalidStateError: 'known' }

const show = (form, problem) => {
  for (const paragraph of form.querySelectorAll('[data-problem]')) paragraph.hidden = paragraph.dataset.problem !== problem
}

const run = async (form) => {
  const button = form.querySelector('button')
  const purpose = form.dataset.passkey
  show(form, '')
  button.disabled = true
  try {
    let answer = await send(form, form.dataset.offer, { use: purpose })
    if (!answer.next) {
      const fields = await (purpose === 'add' ? make(answer) : use(answer))
      answer = await send(form, form.getAttribute('action'), { ...typed(form), ...fields })
    }
    const kept = document.querySelector('form[data-kept]') // what was written before the session ended
    if (kept && answer.form_token) {
      kept.elements.form_token.value = answer.form_token
      kept.submit()
    } else {
      location.assign(answer.next)
    }
  } catch (error) {
    show(form, problems[error.name] ?? 'refused')
    button.disabled = false
    button.focus()
  }
}

if (globalThis.PublicKeyCredential && globalThis.AuthenticatorAttestationResponse?.prototype.getAuthenticatorData) {
  for (const form of document.querySelectorAll('form[data-passkey]')) {
    form.hidden = false
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      run(form)
    })
  }
}
