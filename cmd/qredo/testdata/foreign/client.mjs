// A client as it was written for the service: the URLs are compiled in, and nothing here knows of a sandbox.
import crypto from 'node:crypto'
import fs from 'node:fs'
import https from 'node:https'

const rest = 'https://sandbox-api.qredo.network/api/v1/p'
const apiKey = fs.readFileSync(process.argv[2], 'utf8').trim()
const privateKey = fs.readFileSync(process.argv[3], 'utf8')

function headers(url, body) {
  const stamp = Math.floor(Date.now() / 1000).toString()
  const sign = crypto.createSign('RSA-SHA256').update(stamp + url + body).sign(privateKey, 'base64url')
  return { 'X-API-KEY': apiKey, 'x-timestamp': stamp, 'x-sign': sign }
}

async function call(method, path, content) {
  const url = rest + path
  const body = content ? JSON.stringify(content) : ''
  const answer = await fetch(url, {
    method, body: body || undefined, headers: { ...headers(url, body), 'Content-Type': 'application/json' },
  })
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`)
  return answer.json()
}

// feed asks for a WebSocket, as the libraries for it do, and returns the status of the answer.
function feed(path) {
  const url = rest.replace('https:', 'wss:') + path
  return new Promise((resolve, reject) => {
    const request = https.request(url.replace('wss:', 'https:'), {
      headers: {
        ...headers(url, ''), Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': 13,
        'Sec-WebSocket-Key': crypto.randomBytes(16).toString('base64'),
      },
    })
    request.on('upgrade', (answer, socket) => { socket.destroy(); resolve(answer.statusCode) })
    request.on('response', answer => resolve(answer.statusCode))
    request.on('error', reject)
    request.end()
  })
}

const { company_id } = await call('POST', '/company', { name: 'Bourse', ref: 'node' })
const client = await call('POST', '/coreclient', { name: 'Approver' })
await call('POST', `/company/${company_id}/trustedparty`, { address: client.id })
const parties = await call('GET', `/company/${company_id}/trustedparty`)
if (!client.feed.startsWith('wss://sandbox-api.qredo.network/')) throw new Error(client.feed)
console.log('node:', parties.list[0].type, await feed('/wallets/feed'), await feed(`/coreclient/${client.id}/feed`))
