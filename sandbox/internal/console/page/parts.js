// Pieces that many screens show.

import { announce, h } from './dom.js';
import { now } from './api.js';
import { grouped, local, short, span, utc, words } from './format.js';

// para and hint are plain and explanatory text.
export const para = (...content) => h('p', null, ...content);
export const hint = (...content) => h('span.hint', null, ...content);

// copy is a button that copies a text.
export function copy(text, label, { shown = label, class: name = '' } = {}) {
  return h(`button.copy`, {
    type: 'button', class: name, title: text, async onclick(event) {
      const button = event.currentTarget;
      try {
        await (navigator.clipboard?.writeText(text) ?? copyByHand(text));
        announce(`${label} copied`);
        button.classList.add('is-done');
        setTimeout(() => button.classList.remove('is-done'), 1200);
      } catch {
        announce(`The browser does not let this page copy. The text is: ${text}`, 'assertive');
        button.classList.add('is-failed');
      }
    },
  }, shown === 'Copy' ? ['Copy', h('span.unseen', null, ` ${label}`)] : [h('span.unseen', null, `Copy ${label}${shown ? ': ' : ''}`), h('span', null, shown)]);
}

// copyByHand copies without the clipboard API, which insecure pages lack.
function copyByHand(text) {
  const field = h('textarea.unseen', { readonly: true }, text);
  const focus = document.activeElement;
  document.body.append(field);
  field.select();
  const copied = document.execCommand('copy');
  field.remove();
  focus?.focus();
  if (!copied) throw new Error('not copied');
}

const screens = { transaction: 'tx', wallet: 'wallet', fund: 'money/fund', company: 'money/company', approval: 'tx', request: 'requests' };

// forWhat says what a policy approves.
export const forWhat = type => (type === 'policy-tx' ? 'transfers' : 'withdrawals');

// sum is an amount with its name, in both units.
export const sum = (name, m) => m && h('div', { key: name }, hint(name), h('span.big', null, amount(m)), base(m));

// href is where a thing is shown.
export const href = (kind, id) => `#/${screens[kind]}/${encodeURIComponent(id)}`;

// thing is a link to a thing, with a button that copies its ID.
export function thing(kind, id, name) {
  if (!id) return null;
  return h('span.thing', null, h('a', { href: href(kind, id), title: id, class: name ? '' : 'mono' }, name || short(id)),
    copy(id, `the ${kind}'s ID`, { shown: name ? short(id) : '' }));
}

// plainID is an ID without a link.
export const plainID = (id, what) => id && h('span.thing', null, copy(id, what, { shown: short(id) }));

// when is a time in the reader's zone, with UTC on hover; long ones have day and zone.
export function when(iso, options = {}) {
  if (!iso) return null;
  return h('time', { datetime: iso, title: utc(iso) }, local(iso, { today: now(), ...options }));
}

// moment is a time in full that is copied as UTC.
export const moment = iso => iso && copy(utc(iso), 'the time in UTC', { shown: local(iso, { long: true }), class: 'as-text' });

// left is a live countdown to a time of the sandbox.
export function left(iso, { ended = 'expired', before = 'expires in ' } = {}) {
  return h('span.left', { 'data-until': iso, 'data-ended': ended, 'data-before': before }, leftText(iso, ended, before));
}

function leftText(iso, ended, before) {
  const seconds = (Date.parse(iso) - now()) / 1000;
  return seconds > 0 ? before + span(seconds) : ended;
}

setInterval(() => {
  for (const el of document.querySelectorAll('[data-until]')) {
    const text = leftText(el.dataset.until, el.dataset.ended, el.dataset.before);
    if (el.textContent !== text) el.textContent = text;
  }
}, 1000);

// amount is money in whole units, base in base units.
export function amount(m, { signed = false, unit = true } = {}) {
  if (!m) return null;
  const figure = m.whole || `${grouped(m.base)} base units of`; // an asset that is not offered has no whole units
  const text = signed && !m.base.startsWith('-') && m.base !== '0' ? `+${figure}` : figure;
  return h('span.amount', { title: `${grouped(m.base)} base units` }, h('b', null, text), unit && [' ', h('span.unit', null, m.asset)]);
}

export const base = m => h('span.base', null, `${grouped(m.base)} base units`);

const shapes = { cancelled: '⊘', expired: '◷', asked: '→', open: '●', frozen: '❄', none: '·' };
const shapesOfTones = { good: '✓', bad: '✕', wait: '◐', still: '•' };

// tone is a state's colour.
function tone(state) {
  if (/reject|refused|frozen/.test(state)) return 'bad';
  if (/pending|waiting/.test(state)) return 'wait';
  return /approved|settled|authorized|open/.test(state) ? 'good' : 'still';
}

// state shows a state by shape, word and colour.
export function state(name) {
  if (!name) return null;
  return h('span.state', { class: `is-${tone(name)}` }, h('span', { 'aria-hidden': 'true' }, shapes[name] ?? shapesOfTones[tone(name)]), words(name));
}

// status is how a request was answered.
export function status(code) {
  const kind = code === 0 ? 'wait' : code < 400 ? 'good' : 'bad';
  return h('span.code', { class: `is-${kind}`, title: code === 0 ? 'No answer was sent' : '' }, code === 0 ? 'none' : String(code));
}

// facts is a list of names and values; empty ones are omitted.
export function facts(...pairs) {
  return h('dl.facts', null, pairs.filter(([, value]) => value !== null && value !== undefined && value !== '' && value !== false)
    .map(([name, value]) => h('div', null, h('dt', null, name), h('dd', null, value))));
}

// web3 describes a Web3 transaction.
export const web3 = call => call && facts(['value', `${grouped(call.value)} wei`], ['chain', call.chain_id], ['gas', `${grouped(call.gas_limit)} at up to ${grouped(call.gas_price)} wei`],
  ['data', call.data && h('code.wrap', null, call.data)]);

// empty says that there is nothing, and how to change that, with a line to copy or a link.
export function empty(text, line, ...more) {
  return h('div.empty', null, para(text), line && code(line, 'the line'), more);
}

// code is a text to copy.
export const code = (text, label) => h('div.code-block', null, h('pre', { tabindex: '0', 'aria-label': label }, text), copy(text, label, { shown: 'Copy' }));

// page is a screen's heading and content.
export const heading = (text, ...more) => h('header.heading', null, h('h1', { tabindex: '-1' }, text), more);

// field is an input with its label, a hint, and its error.
let fields = 0;
export function field(label, input, { hint = '', error = '' } = {}) {
  const id = input.id || `field-${++fields}`;
  input.id = id;
  return h('div.field', { key: `field:${label}`, class: error ? 'is-wrong' : '' }, h('label', { for: id }, label), input,
    hint && h('p.hint', null, hint), error && h('p.error', { role: 'alert' }, error));
}

// wrong shows an error.
export const wrong = err => err && h('p.error', { role: 'alert' }, err.message || String(err));
