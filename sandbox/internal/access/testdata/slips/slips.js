// What programs in Node sign while they send something else: a line each of part, what was sent and what was signed, in base64.
const b64 = text => Buffer.from(text, 'utf8').toString('base64');
const slip = (part, sent, signed) => { if (sent !== signed) console.log([part, b64(sent), b64(signed)].join('\t')); };

const order = { name: 'Zürich & Söhne <AG>', emoji: '😀', amount: 100, n: [1, 2, {}], empty: [], ok: true, none: null, path: 'a/b\n' };
const sent = JSON.stringify(order);
slip('body', sent, JSON.stringify(order, null, 2));
slip('body', sent, JSON.stringify(order, null, '\t'));
slip('body', sent, JSON.stringify(order, Object.keys(order).sort()).length ? JSON.stringify(Object.fromEntries(Object.entries(order).sort(([a], [b]) => (a < b ? -1 : 1)))) : '');
slip('body', sent, JSON.stringify(sent));
slip('body', sent, String(order));
slip('body', sent, `${sent}\n`);
slip('body', sent, sent.normalize('NFD'));
slip('body', '', String(undefined));
slip('body', '', JSON.stringify({}));
const typed = '{"amount":1.0,"fee":1e2,"small":0.0000001,"huge":1E21}';
slip('body', typed, JSON.stringify(JSON.parse(typed)));
const spaced = '{"name": "Z\\u00fcrich", "n": 1.50}';
slip('body', spaced, JSON.stringify(JSON.parse(spaced)));
slip('body', '{"amount":9007199254740993}', JSON.stringify(JSON.parse('{"amount":9007199254740993}')));

const service = 'http://127.0.0.1:8765/api/v1/p';
for (const text of ['Zürich AG', "O'Neil (Ltd)!*~", 'a+b&c=d', 'naïve café']) {
  const sentURL = `${service}/company/search?query=${encodeURIComponent(text)}`;
  slip('url', sentURL, `${service}/company/search?${new URLSearchParams({ query: text })}`);
  slip('url', `${service}/company/search?${new URLSearchParams({ query: text })}`, sentURL);
  slip('url', sentURL, encodeURI(`${service}/company/search?query=${text}`));
  slip('url', sentURL, `${service}/company/search?query=${text}`);
  slip('url', sentURL, sentURL.replace(/%[0-9A-F]{2}/g, e => e.toLowerCase()));
  slip('url', sentURL, `${service}/company/search?query=${encodeURIComponent(encodeURIComponent(text))}`);
  slip('url', sentURL, `${service}/company/search?query=${encodeURIComponent(text.normalize('NFD'))}`);
  if (!text.includes('&')) slip('url', new URL(`${service}/company/search?query=${text}`).href, sentURL);
}
slip('url', new URL('http://LOCALHOST:8765/api/v1/p/assets').href, 'http://LOCALHOST:8765/api/v1/p/assets');
slip('url', `${service}/assets`, `${service}/assets?`);
slip('layout', `${service}/assets`, `\n${service}/assets`);
