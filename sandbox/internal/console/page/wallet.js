// One wallet: its balance over time, address, movements, and deposits.

import { h, s } from './dom.js';
import { get, id, now, on, post } from './api.js';
import { Screen } from './screen.js';
import { amount, copy, facts, field, forWhat, hint, href, para, plainID, state, sum, when, wrong } from './parts.js';
import { grouped, local, parseWhole, whole } from './format.js';
import './list.js';

const WIDTH = 1000, HEIGHT = 160; // of the chart, in units of its own

class Wallet extends Screen {
  typed = '';
  done = '';

  connectedCallback() {
    super.connectedCallback();
    this.alsoStop = on(['change', 'again'], () => this.querySelector('q-list')?.look(true));
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.alsoStop?.();
  }

  load(signal) { return get(`/wallets/${id(this.at[0])}`, { signal }); }

  content() {
    const w = this.data;
    return [h('header.heading', null, h('a.back', { href: '#/money' }, '‹ Money'), h('h1', { tabindex: '-1' }, w.name || 'Wallet'), hint(w.asset), plainID(w.id, 'the wallet\'s ID')),
      h('div.balances', null, sum('balance', w.balance), sum('held', w.held), sum('available', w.available), w.incoming && w.incoming.base !== '0' && sum('coming', w.incoming)),
      this.chart(w),
      facts(['address', w.address && h('span.row-of', null, h('code.wrap', null, w.address), copy(w.address, 'the address', { shown: 'Copy' }))],
        ['short code', w.short_code && copy(w.short_code, 'the short code', { shown: w.short_code, class: 'as-text' })],
        ['fund', w.fund && h('span', null, h('a', { href: href('fund', w.fund.id) }, w.fund.name), ' of ', h('a', { href: href('company', w.company?.id) }, w.company?.name))],
        ...(w.policies ?? []).map(p => [forWhat(p.type), `${p.threshold} of ${p.members.map(m => m.name || m.id).join(', ')}`]),
        ['connected', w.connections?.length > 0 && w.connections.map(c => `${c.name || c.client_id} (${c.status})`).join(', ')]),
      this.deposit(w),
      h('section.movements', { key: 'movements' }, h('h2', null, 'What moved'), h('q-list', { class: 'movements', data: this.rows() }))];
  }


  // chart draws the balance as steps: it stays until something moves.
  chart(w) {
    const points = w.chart ?? [];
    if (!points.length) return h('p.hint', { key: 'chart' }, 'The balance chart appears here once something has moved.');
    const begin = Date.parse(points[0].at), end = Math.max(now().getTime(), Date.parse(points.at(-1).at), begin + 1);
    const max = BigInt(w.max) || 1n, decimals = w.decimals ?? 0;
    const x = at => ((Date.parse(at) - begin) / (end - begin) * WIDTH).toFixed(1);
    const y = base => HEIGHT - Number(BigInt(base) * BigInt(HEIGHT * 100) / max) / 100; // a place on the screen, no amount
    let line = `M0 ${y(points[0].balance)}`;
    for (const p of points.slice(1)) line += `H${x(p.at)}V${y(p.balance)}`;
    const last = points.at(-1);
    return h('figure.chart', { key: 'chart' }, s('svg', { viewBox: `0 -4 ${WIDTH} ${HEIGHT + 8}`, preserveAspectRatio: 'none', role: 'img',
      'aria-label': `Balance over time: ${whole(BigInt(points[0].balance), decimals)} at first, at most ${whole(max, decimals)}, ${whole(BigInt(last.balance), decimals)} now` },
      s('path', { class: 'area', d: `${line}H${WIDTH}V${HEIGHT}H0Z` }), s('path', { class: 'line', d: `${line}H${WIDTH}`, 'vector-effect': 'non-scaling-stroke' })),
    h('figcaption', null, h('span', null, local(points[0].at)), h('span', null, `highest ${whole(max, decimals)}`), h('span', null, 'now')));
  }

  deposit(w) {
    const read = parseWhole(this.typed, w.decimals ?? 0);
    return h('form.inline', { key: 'deposit', 'aria-label': 'Deposit', onsubmit: e => {
      e.preventDefault();
      if (read.base === undefined) {
        this.errors.deposit = new Error(read.error || 'Enter an amount, such as 1.5');
        this.draw();
        return;
      }
      this.act('deposit', async () => {
        await post('/deposits', { address: w.address || w.id, amount: read.base });
        this.done = `${whole(read.base, w.decimals ?? 0)} ${w.asset} came in.`;
        this.typed = '';
      });
    } },
    field(`Deposit, in ${w.asset}`, h('input', { id: 'deposit-amount', inputmode: 'decimal', autocomplete: 'off', value: this.typed, placeholder: '1.5',
      oninput: e => { this.typed = e.currentTarget.value; this.done = ''; this.errors.deposit = null; this.draw(); } }),
      { hint: read.base !== undefined ? `= ${grouped(read.base)} base units` : this.done || 'whole units; it arrives as if from a chain, at once and without a fee', error: read.error }),
    h('button.primary', { type: 'submit', disabled: Boolean(this.busy.deposit) }, 'Deposit'), wrong(this.errors.deposit));
  }

  rows() {
    return this.made ??= {
      label: 'Movements, newest first', one: 'movement', tall: 58,
      read: async (after, limit, signal) => {
        const page = await get(`/wallets/${id(this.at[0])}/movements?limit=${limit}${after ? `&after=${encodeURIComponent(after)}` : ''}`, { signal });
        return { rows: page.movements, total: page.total, next: page.next };
      },
      key: m => `${m.tx_id} ${m.type}`, link: m => href('transaction', m.tx_id),
      row: m => [when(m.at), h('span.kind', null, m.type), h('span.sum', null, amount(m.amount, { signed: true, unit: false })),
        h('span.fees.hint', null, m.fees && m.fees.base !== '0' ? `fees ${m.fees.whole || m.fees.base}` : ''),
        h('span.after', null, m.balance && hint('→ '), m.balance?.whole || m.balance?.base), h('span.other', null, m.other), state(m.status)],
      empty: () => h('div.empty', null, para('Nothing has moved yet. Deposit something above.')),
    };
  }
}

customElements.define('q-wallet', Wallet);
