#!/usr/bin/env node
// Ask one citizen for fields, wait for the answer, read. Node's own modules only.
//
//   first_read.mjs ADDRESS CA CERTIFICATE KEY PURPOSE ASSURANCE FIELD[=FORM]...
//
// ASSURANCE is how surely the service knows who is in front of it: low, substantial or high.
import { readFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import https from 'node:https';

const WAIT_S = 60;
const WAITS_MAX = 30;

const words = process.argv.slice(2);
if (words.length < 7) {
  console.error('first_read.mjs ADDRESS CA CERTIFICATE KEY PURPOSE ASSURANCE FIELD[=FORM]...');
  process.exit(64);
}
const [address, ca, certificate, key, purpose, assurance, ...asked] = words;
const fields = Object.fromEntries(asked.map((word) => {
  const [name, form] = word.split('=');
  return [name, form ?? null];
}));

// One kept connection to the vault, with the service's own certificate.
const agent = new https.Agent({
  ca: readFileSync(ca), cert: readFileSync(certificate), key: readFileSync(key),
  minVersion: 'TLSv1.3', keepAlive: true, maxSockets: 1,
});

function send(method, path, headers, body) {
  return new Promise((resolve, reject) => {
    const request = https.request(new URL(path, address), { method, headers, agent }, (answer) => {
      const pieces = [];
      answer.on('data', (piece) => pieces.push(piece));
      answer.on('error', reject);
      answer.on('end', () => resolve({
        status: answer.statusCode, json: JSON.parse(Buffer.concat(pieces).toString() || 'null'),
      }));
    });
    request.setTimeout((WAIT_S + 10) * 1000, () => request.destroy(new Error('no answer in time')));
    request.on('error', reject);
    request.end(body && JSON.stringify(body));
  });
}

// A POST has a key of its own: sent again after a broken connection, it is answered the same.
async function call(method, path, body) {
  const headers = body ? { 'Content-Type': 'application/json' } : {};
  if (method === 'POST') headers['Idempotency-Key'] = randomBytes(16).toString('hex');
  let answer;
  try {
    answer = await send(method, path, headers, body);
  } catch (error) {
    if (error.code !== 'ECONNRESET') throw error;
    answer = await send(method, path, headers, body);
  }
  if (answer.status >= 400) throw new Error(`${answer.status}: ${answer.json.detail}`);
  return answer.json;
}

async function main() {
  const request = await call('POST', '/v1/access-requests', { purpose, fields });
  console.log('Show the citizen:', request.code, 'or', request.link);
  let answer;
  for (let i = 0; i < WAITS_MAX; i += 1) {
    answer = await call('GET', `/v1/access-requests/${request.id}?wait=${WAIT_S}`);
    if (answer.state !== 'pending') break;
  }
  if (answer.state !== 'granted') throw new Error('Not granted.');
  const release = await call('POST', '/v1/releases', {
    subject: answer.subject, purpose, fields, context: { assurance_at_least: assurance },
  });
  for (const [name, value] of Object.entries(release.released)) {
    console.log(`${name} (${value.form}): ${JSON.stringify(value.value)}`);
  }
  for (const name of release.withheld) console.log(`${name}: withheld`);
}

try {
  await main();
} catch (error) {
  console.error(`first_read: ${error.message}`);
  process.exitCode = 1;
} finally {
  agent.destroy();
}
