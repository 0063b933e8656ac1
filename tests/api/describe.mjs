// Print the description that the vault serves to its first service.
import { clients, send } from './vault.mjs'

const { status, text } = await send(clients[0], { method: 'GET', path: '/v1/openapi.json' })
if (status !== 200) throw new Error(`/v1/openapi.json answered ${status}`)
console.log(text)
