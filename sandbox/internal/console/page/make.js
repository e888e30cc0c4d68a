// Make: forms for everything from nothing to a payment. People and the chain are control calls; the rest are requests to the
// Partner API, which the sandbox signs with its own key and logs like any other.

import { h } from './dom.js';
import { get, id, now, post } from './api.js';
import { Screen } from './screen.js';
import { code, field, heading, hint, href, para, status, thing } from './parts.js';
import { encode, grouped, indent, parseWhole, query, whole } from './format.js';

const forms = [
  ['person', 'Person', 'who approves'], ['program', 'Program', 'a core client, which approves by itself'], ['company', 'Company', ''], ['trust', 'Trusted party', 'whom the company can ask to approve'],
  ['fund', 'Fund', 'wallets and their approvers'], ['wallet', 'Wallet', ''], ['deposit', 'Deposit', 'as if from a chain'], ['whitelist', 'Whitelist', 'addresses that may be paid'],
  ['withdrawal', 'Withdrawal', 'to an address'], ['transfer', 'Transfer', 'to a wallet'], ['request', 'Any request', 'signed and sent'],
];

const LIFE = 3600; // seconds in which what is asked for can be approved, unless said otherwise

class Make extends Screen {
  typed = {}; // what was typed, by form and name
  done = {}; // what was made, by form
  picked = ''; // the company that is chosen
  search = '';

  get form() { return forms.some(([name]) => name === this.at[0]) ? this.at[0] : 'person'; }

  async load(signal) {
    const [list, people, { assets }] = await Promise.all([get(`/companies${query({ search: this.search, limit: 100 })}`, { signal }), get('/approvers?limit=200', { signal }), get('/assets', { signal })]);
    if (this.picked && !list.companies.some(c => c.id === this.picked) && !this.search) this.picked = '';
    this.picked ||= list.companies.at(-1)?.id ?? '';
    const company = this.picked ? await get(`/companies/${id(this.picked)}`, { signal }) : null;
    for (const a of assets) a.decimals = String(a.scale).length - 1; // scales are powers of ten
    return { companies: list.companies, total: list.total, people: people.approvers, assets, company };
  }

  // wallets are those of the chosen company, each with its fund.
  get wallets() { return (this.data.company?.funds ?? []).flatMap(fund => fund.wallets.map(w => ({ ...w, fund }))); }

  // has tells what is there already.
  get has() {
    const { people, company } = this.data, funds = company?.funds ?? [];
    return { person: people.some(p => p.kind === 'person'), company: company, trust: company?.trusted?.some(t => t.accepted !== false), fund: funds.length, wallet: this.wallets.length,
      deposit: this.wallets.some(w => w.balance.base !== '0'), whitelist: funds.some(f => f.whitelist?.length) };
  }

  content() {
    const { has } = this;
    return [heading('Make', hint('from nothing to a payment: from the top down; then approve it on the Phone')),
      h('div.make', null, h('nav', { 'aria-label': 'What to make' }, h('ul', null, forms.map(([name, title, why]) => h('li', { key: name },
        h('a', { href: `#/make/${name}`, 'aria-current': name === this.form ? 'page' : null },
        h('span.tick', { 'aria-hidden': 'true' }, has[name] ? '✓' : '·'), title, has[name] && h('span.unseen', null, ' (there is one)'), why && hint(why)))))),
      h('section.form-part', { 'aria-label': 'Form' }, this.body()))];
  }

  body() {
    const name = this.form, [, title] = forms.find(([n]) => n === name);
    const needs = this.needs(name);
    if (needs) return [h('h2', null, title), h('div.empty', null, para(needs[0]), para(h('a.primary', { href: `#/make/${needs[1]}` }, needs[2])))];
    const err = this.errors[name], made = this.done[name];
    return h('form.grid', { key: name, 'aria-label': title, onsubmit: e => { e.preventDefault(); this.submit(name); } }, h('h2', null, title),
      ['trust', 'fund', 'wallet', 'deposit', 'whitelist', 'withdrawal', 'transfer'].includes(name) && this.chooseCompany(), this[name](),
      h('div.field', null, h('button.primary', { type: 'submit', disabled: Boolean(this.busy[name]) }, this.busy[name] ? 'Working…' : buttons[name] ?? `Make the ${title.toLowerCase()}`)),
      err && h('p.error', { role: 'alert' }, err.message, err.request && [' ', h('a', { href: href('request', err.request) }, 'See the request')]),
      made && h('div.done', { role: 'status' }, made));
  }

  needs(name) {
    const { has } = this;
    if (name === 'trust' && !has.company || ['fund', 'wallet', 'whitelist', 'deposit', 'withdrawal', 'transfer'].includes(name) && !has.company) return ['There is no company yet.', 'company',
      'Make a company first'];
    if (name === 'trust' && !this.data.people.length) return ['There is nobody to trust yet.', 'person', 'Make a person first'];
    if (name === 'fund' && !has.trust) return ['The company trusts nobody who could approve.', 'trust', 'Let it trust somebody first'];
    if (['wallet', 'whitelist'].includes(name) && !has.fund) return ['The company has no fund yet.', 'fund', 'Make a fund first'];
    if (['deposit', 'withdrawal', 'transfer'].includes(name) && !has.wallet) return ['The company has no wallet yet.', has.fund ? 'wallet' : 'fund',
      has.fund ? 'Make a wallet first' : 'Make a fund with a wallet first'];
    return null;
  }

  // t is the input of the current form.
  get t() { return this.typed[this.form] ??= {}; }

  set(name, value) {
    this.t[name] = value;
    this.errors[this.form] = null;
    this.draw();
  }

  input(name, label, { begin = '', hint, error, ...props } = {}) {
    this.t[name] ??= begin;
    return field(label, h('input', { id: `make-${this.form}-${name}`, value: this.t[name], autocomplete: 'off', spellcheck: 'false', oninput: e => this.set(name, e.currentTarget.value), ...props }),
      { hint, error });
  }

  select(name, label, options, { hint, ...props } = {}) {
    if (!options.some(([value]) => value === this.t[name])) this.t[name] = options[0]?.[0] ?? '';
    return field(label, h('select', { id: `make-${this.form}-${name}`, value: this.t[name], onchange: e => this.set(name, e.currentTarget.value), ...props },
      options.map(([value, text]) => h('option', { value, key: value }, text))), { hint });
  }

  checks(name, label, options, hint) {
    this.t[name] ??= options.map(([value]) => value);
    const toggle = (value, on) => this.set(name, on ? [...this.t[name], value] : this.t[name].filter(v => v !== value));
    return h('fieldset.field', { key: name }, h('legend', null, label), options.map(([value, text]) => h('label.check', { key: value },
      h('input', { type: 'checkbox', checked: this.t[name].includes(value), onchange: e => toggle(value, e.currentTarget.checked) }), text)), hint && h('p.hint', null, hint));
  }

  chooseCompany() {
    const { companies, total } = this.data;
    return [(total > companies.length || this.search) && field('Find a company', h('input', { id: 'make-find', type: 'search', value: this.search,
      oninput: e => { this.search = e.currentTarget.value; this.soon(); } })),
      field('Company', h('select', { id: 'make-company', value: this.picked, onchange: e => { this.picked = e.currentTarget.value; this.typed = {}; this.refresh(); } },
        this.data.company && !companies.some(c => c.id === this.picked) && h('option', { value: this.picked, key: this.picked }, this.data.company.name),
          companies.map(c => h('option', { value: c.id, key: c.id }, c.name || c.id))))];
  }

  // amountOf is a field for whole units, which shows the base units.
  amountOf(asset, label = 'Amount') {
    const decimals = this.data.assets.find(a => a.code === asset)?.decimals ?? 0;
    const read = parseWhole(this.t.amount ?? '', decimals);
    return this.input('amount', `${label}, in ${asset}`, { inputmode: 'decimal', placeholder: '0.25', error: read.error,
      hint: read.base === undefined ? `whole units, up to ${decimals} decimals` : `= ${grouped(read.base)} base units` });
  }

  readAmount(asset) {
    const read = parseWhole(this.t.amount ?? '', this.data.assets.find(a => a.code === asset)?.decimals ?? 0);
    if (read.base === undefined) throw new Error(read.error || 'Enter an amount, such as 0.25');
    return read.base;
  }

  members(name, label) {
    const trusted = (this.data.company.trusted ?? []).filter(t => t.accepted !== false);
    return this.checks(name, label, trusted.map(t => [t.id, `${t.name || t.email || t.id}${/^(user|person)$/.test(t.kind) ? '' : ' (program)'}`]));
  }

  walletOptions() { return this.wallets.map(w => [w.id, `${w.name || 'wallet'} · ${w.available.whole} ${w.asset} available · ${w.fund.name}`]); }

  chosen(name) { return this.wallets.find(w => w.id === this.t[name]) ?? this.wallets[0]; }

  assetOptions() {
    const tests = this.data.assets.filter(a => /TEST/.test(a.code));
    return [...tests, ...this.data.assets.filter(a => !tests.includes(a))].map(a => [a.code, `${a.code} · ${a.name}`]);
  }

  fundOptions() { return this.data.company.funds.map(f => [f.id, f.name]); }

  // The forms.
  person() { return [this.input('email', 'E-mail', { type: 'email', placeholder: 'alice@example.com' }), this.input('first_name', 'First name'), this.input('last_name', 'Last name')]; }

  program() { return [this.input('name', 'Name', { placeholder: 'risk-engine' }), h('p.hint', null,
    'A core client of the sandbox\'s own key. Let a company trust it; then it can stand in a fund\'s group. On the Phone you can play it.')]; }

  company() { return [this.input('name', 'Name', { placeholder: 'Acme Exchange' }), this.input('domain', 'Domain', { placeholder: 'acme.example' }), this.input('city', 'City'),
    this.input('country', 'Country'), this.input('ref', 'Your own reference')]; }

  trust() {
    const known = new Set((this.data.company.trusted ?? []).filter(t => t.accepted !== false).map(t => t.id));
    const open = this.data.people.filter(p => !known.has(p.id));
    this.t.who = (this.t.who ?? open.map(p => p.id)).filter(one => !known.has(one));
    if (!open.length) return h('p.hint', null, 'It trusts everybody already. Make another person, or continue with a fund.');
    return this.checks('who', 'Who', open.map(p => [p.id, `${p.name || p.email || p.id}${p.kind === 'person' ? '' : ' (program)'}`]), 'The company invites them, and people accept at once, as in the app.');
  }

  fund() {
    return [this.input('name', 'Name', { placeholder: 'Client assets' }), this.members('withdraw', 'Who approves withdrawals'),
      this.input('threshold', 'How many of them must', { begin: String(Math.min(2, this.t.withdraw?.length || 1)), inputmode: 'numeric' }), this.members('tx', 'Who approves transfers and swaps'),
      this.input('thresholdTx', 'How many of them must approve transfers', { begin: '1', inputmode: 'numeric' }),
        this.input('wallet', 'Name of its first wallet', { placeholder: 'Treasury', begin: 'Treasury' }), this.select('asset', 'Asset of the wallet', this.assetOptions())];
  }

  wallet() { return [this.select('fund', 'Fund', this.fundOptions()), this.input('name', 'Name', { placeholder: 'Trading' }), this.select('asset', 'Asset', this.assetOptions())]; }

  deposit() { return [this.select('to', 'To the wallet', this.walletOptions()), this.amountOf(this.chosen('to').asset)]; }

  whitelist() {
    return [this.select('fund', 'Fund', this.fundOptions()), this.select('asset', 'Asset', this.assetOptions()), this.input('address', 'Address', { placeholder: 'tb1q…' }),
      this.input('name', 'Name', { placeholder: 'Cold storage' })];
  }

  withdrawal() {
    const w = this.withdrawFrom();
    const known = (w.fund.whitelist ?? []).filter(a => a.asset === w.asset);
    return [this.select('from', 'From the wallet', this.walletOptions()),
      known.length ? this.select('address', 'To', known.map(a => [a.address, `${a.name || 'without a name'} · ${a.address}`])) : this.input('address', 'To the address',
        { hint: 'This fund has no whitelisted address for the asset: the withdrawal is refused until there is one' }),
      this.amountOf(w.asset, 'What arrives'), this.input('reference', 'Reference', { placeholder: 'payout 2041' }),
        this.input('partner', 'PartnerTxID', { begin: partnerID(), hint: 'sending it again with the same ID makes nothing new' })];
  }

  withdrawFrom() {
    this.t.from ||= this.wallets.find(w => w.available.base !== '0')?.id;
    return this.chosen('from');
  }

  transfer() {
    const w = this.withdrawFrom(), others = this.wallets.filter(o => o.asset === w.asset && o.id !== w.id);
    return [this.select('from', 'From the wallet', this.walletOptions()),
      others.length ? this.select('to', 'To the wallet', others.map(o => [o.id, `${o.name || 'wallet'} · ${o.fund.name}`])) : this.input('to', 'To a wallet, by ID or short code',
        { hint: 'The company has no other wallet of this asset' }),
      this.amountOf(w.asset, 'What arrives'), this.input('reference', 'Reference'), this.input('partner', 'PartnerTxID', { begin: partnerID(), hint: 'sending it again with the same ID makes nothing new' })];
  }

  request() {
    return [this.select('api', 'API', [['partner', 'Partner API'], ['qapi', 'Qredo API v1']]), this.select('method', 'Method', ['GET', 'POST', 'PUT', 'DELETE'].map(m => [m, m])),
      this.input('path', 'Path and query, below the base path', { begin: '/assets' }), field('Body, as it is sent',
        h('textarea', { id: 'make-request-body', rows: '6', spellcheck: 'false', value: this.t.body ?? '', oninput: e => this.set('body', e.currentTarget.value) }))];
  }

  async submit(name) {
    this.done[name] = null;
    await this.act(name, async () => {
      this.done[name] = await actions[name].call(this, this.t);
      if (name !== 'request') this.typed[name] = {};
    });
  }

  // send has the sandbox sign and send a request. A refusal is an error that links to it.
  async send(method, path, body) {
    const made = await post('/requests/send', { method, path, body: body === undefined ? '' : encode(body) });
    if (made.status === 0 || made.status >= 400) throw Object.assign(new Error(`${made.status || 'No answer'}: ${made.reason || 'the request was refused'}`), { request: made.id });
    let answer = {};
    try {
      answer = JSON.parse(made.answer_body);
    } catch { /* an answer that a fault has replaced */ }
    return { answer, said: h('a', { href: href('request', made.id) }, `request ${made.id}`) };
  }
}

const buttons = { trust: 'Invite them, and let them accept', deposit: 'Deposit', whitelist: 'Put it on the whitelist', withdrawal: 'Ask for the withdrawal', transfer: 'Ask for the transfer',
  request: 'Sign and send' };

// partnerID makes a PartnerTxID.
const partnerID = () => `console-${[...crypto.getRandomValues(new Uint8Array(8))].map(b => b.toString(16).padStart(2, '0')).join('')}`;

const need = (value, text) => {
  if (!value?.trim()) throw new Error(text);
  return value.trim();
};

const next = (form, text) => h('a', { href: `#/make/${form}` }, text);

const group = (members, threshold) => {
  const n = Number(threshold);
  if (!members.length) throw new Error('Choose at least one approver');
  if (!Number.isInteger(n) || n < 1 || n > members.length) throw new Error(`How many must approve is a number from 1 to ${members.length}`);
  return { threshold: n, members };
};

const expires = () => Math.floor(now() / 1000) + LIFE;

const asked = (what, tx, said) => [para(`The ${what} waits for approval: `, thing('transaction', tx), ' (', said, ').'), para(h('a', { href: '#/phone' }, 'Approve it on the Phone'))];

// What each form does. It returns the message to show.
const actions = {
  async person(t) {
    const made = await post('/users', { email: need(t.email, 'Enter the e-mail to invite them by'), first_name: t.first_name, last_name: t.last_name, username: t.email.split('@')[0] });
    return [para(`${made.email} has the app now.`), para('Make another, or ', next('company', 'continue with a company'), '.')];
  },
  async program(t) {
    const { answer, said } = await this.send('POST', '/coreclient', { name: need(t.name, 'Enter a name') });
    return [para(`Created: ${answer.id} (`, said, ').'), para(next('trust', 'Let a company trust it'))];
  },
  async company(t) {
    const { answer, said } = await this.send('POST', '/company', { name: need(t.name, 'Enter a name'), domain: t.domain, city: t.city, country: t.country, ref: t.ref });
    this.picked = answer.company_id ?? this.picked;
    return [para('Created: ', thing('company', answer.company_id, t.name), ' (', said, ').'), para(next('trust', 'Let it trust those who approve'))];
  },
  async trust(t) {
    const chosen = this.data.people.filter(p => t.who.includes(p.id));
    if (!chosen.length) throw new Error('Choose whom to invite');
    for (const p of chosen) {
      const known = this.data.company.trusted?.some(k => k.id === p.id);
      if (!known) await this.send('POST', `/company/${id(this.picked)}/trustedparty`, { address: p.kind === 'person' ? p.email : p.id });
      if (p.kind === 'person') await post(`/users/${id(p.id)}/accept`, { company_id: this.picked });
    }
    return [para(`${chosen.map(p => p.name || p.email).join(', ')}: trusted.`), para(next('fund', 'Continue with a fund'))];
  },
  async fund(t) {
    const { answer, said } = await this.send('POST', `/company/${id(this.picked)}/fund`, { name: need(t.name, 'Enter a name'), custodygroup_withdraw: group(t.withdraw, t.threshold),
      custodygroup_tx: group(t.tx, t.thresholdTx),
      wallets: t.wallet.trim() ? [{ name: t.wallet.trim(), asset: t.asset, type: 0 }] : undefined });
    return [para('Created: ', thing('fund', answer.fund_id, t.name), ' (', said, ').'), para(next('deposit', 'Deposit something'), ' or ', next('whitelist', 'whitelist an address'))];
  },
  async wallet(t) {
    const { answer, said } = await this.send('POST', `/company/${id(this.picked)}/fund/${id(t.fund)}/wallet`, { wallets: [{ name: need(t.name, 'Enter a name'), asset: t.asset, type: 0 }] });
    return [para('Created: ', thing('wallet', answer.wallets?.[0], t.name), ' (', said, ').'), para(next('deposit', 'Deposit something'))];
  },
  async deposit(t) {
    const w = this.chosen('to'), base = this.readAmount(w.asset);
    await post('/deposits', { address: w.id, amount: base });
    return [para(`${whole(base, w.decimals)} ${w.asset} came to `, thing('wallet', w.id, w.name), '.'), para(next('whitelist', 'Whitelist an address'), ', or ', next('withdrawal', 'ask for a withdrawal'))];
  },
  async whitelist(t) {
    const { said } = await this.send('POST', `/company/${id(this.picked)}/fund/${id(t.fund)}/whitelist`, { asset: t.asset, address: need(t.address, 'Enter the address'), name: t.name });
    return [para(`Can be paid now (`, said, ').'), para(next('withdrawal', 'Ask for a withdrawal'))];
  },
  async withdrawal(t) {
    const w = this.chosen('from');
    const { answer, said } = await this.send('POST', `/company/${id(this.picked)}/withdraw`,
      { wallet_id: w.id, address: need(t.address, 'Enter the address'), reference: t.reference, partner_txID: t.partner.trim() || undefined,
      expires: expires(), send: { symbol: w.asset, amount: this.readAmount(w.asset) } });
    return asked('withdrawal', answer.tx_id, said);
  },
  async transfer(t) {
    const w = this.chosen('from');
    const { answer, said } = await this.send('POST', `/company/${id(this.picked)}/transfer`,
      { wallet_id: w.id, counterparty_wallet_address: need(t.to, 'Enter where it goes'), reference: t.reference, partner_txID: t.partner.trim() || undefined,
      expires: expires(), send: { symbol: w.asset, amount: this.readAmount(w.asset) } });
    return asked('transfer', answer.tx_id, said);
  },
  async request(t) {
    const made = await post('/requests/send', { api: t.api, method: t.method, path: t.path, body: t.body ?? '' });
    return [para('Answered ', status(made.status), ` ${made.reason ?? ''} `, h('a', { href: href('request', made.id) }, `request ${made.id}`)),
      made.answer_body && code(indent(made.answer_body) ?? made.answer_body, 'the answer')];
  },
};

customElements.define('q-make', Make);
