// Requests: requests to the APIs as they arrive.

import { h } from './dom.js';
import { get, on, post } from './api.js';
import { Screen } from './screen.js';
import { empty, heading, para, status, when } from './parts.js';
import { query, took } from './format.js';
import './list.js';
import './request.js';

class Requests extends Screen {
  static told = ['again'];
  filter = { search: '', refused: false, reads: true };
  paused = false;

  connectedCallback() {
    super.connectedCallback();
    this.stops = [on('request', () => this.list?.look()), on(['again', 'reset'], () => this.list?.renew())];
    this.addEventListener('counted', () => this.draw());
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.stops.forEach(stop => stop());
    clearTimeout(this.typed);
  }

  get list() { return this.querySelector('q-list'); }

  get wanted() { return { search: this.filter.search.trim(), refused: this.filter.refused, reads: this.filter.reads ? null : 'false' }; }

  go(at) {
    const was = this.at[0];
    super.go(at);
    this.list?.mark(at[0]);
    if (was && !at[0]) this.list?.back(was);
  }

  pause() {
    this.paused = !this.paused;
    this.list.paused = this.paused;
    if (!this.paused && this.list.fresh) this.list.renew();
    this.draw();
  }

  set(change) {
    Object.assign(this.filter, change);
    this.draw();
    clearTimeout(this.typed);
    this.typed = setTimeout(() => this.list?.renew(), 'search' in change ? 200 : 0);
  }

  content() {
    const { filter } = this, open = this.at[0];
    return h('div.split', { class: open ? 'has-open' : '' },
      h('section.left-part', { key: 'list', 'aria-label': 'Requests' },
        heading('Requests', h('span.hint.total', null, this.list?.read ? `${this.list.counted} requests` : '')),
        h('div.tools', null,
          h('input', { type: 'search', 'data-search': '', 'aria-label': 'Search requests', placeholder: 'path, key, ID, 4xx…', value: filter.search, oninput: e => this.set({ search: e.currentTarget.value }),
            onkeydown: e => { if (e.key === 'Enter') this.list.step(0); } }),
          h('label', null, h('input', { type: 'checkbox', checked: filter.refused, onchange: e => this.set({ refused: e.currentTarget.checked }) }), 'only refused'),
          h('label', null, h('input', { type: 'checkbox', checked: filter.reads, onchange: e => this.set({ reads: e.currentTarget.checked }) }), 'reads'),
          h('button', { type: 'button', 'aria-pressed': String(this.paused), onclick: () => this.pause() }, this.paused ? '▶ resume' : '❚❚ pause'),
          h('a', { href: `api/requests.har${query(this.wanted)}`, download: 'qredo-sandbox.har' }, 'HAR'),
          this.twice('clear', 'Clear', 'Delete all requests: sure?', async () => { await post('/requests/clear'); await this.list.renew(); }, { class: 'quiet' }), this.wrongOf('clear')),
        h('q-list', { class: 'requests', data: this.rows() })),
      open && h('section.open-part', { key: 'open', 'aria-label': `Request ${open}` }, h('q-request', { key: open, at: [open] })));
  }

  rows() {
    return this.made ??= {
      label: 'Requests, newest first', one: 'request', tall: 58,
      read: async (after, limit, signal) => {
        const page = await get(`/requests${query({ ...this.wanted, after, limit })}`, { signal });
        return { rows: page.requests, total: page.total, next: page.next };
      },
      key: r => r.id, link: r => `#/requests/${r.id}`, rowClass: r => (r.status >= 400 ? 'is-refused' : ''),
      row: r => [when(r.at, { millis: true }), h('span.op', { title: r.url }, this.operation(r)), status(r.status),
        h('span.why', null, r.reason || (r.partner_tx_id ? (r.existing ? 'existing' : 'new') : '')),
        h('span.key.mono', null, r.key ? `key ${r.key}` : 'no key'), h('span.took', null, took(r.microseconds)),
        h('span.hit', null, r.fault ? `⚡ ${r.fault}${r.answer && r.answer !== 'sent' ? ` (answer ${r.answer.replace('_', ' ')})` : ''}` : '')],
      empty: () => (Object.values(this.wanted).some(v => v) ? h('div.empty', null, para('No request matches.'), h('button', { type: 'button', onclick: () => this.all() }, 'Show all'))
        : empty('No request has arrived yet. Point a program here, or use the command:', 'qredo asset list', para(h('a', { href: '#/make/request' }, 'Send one from here')))),
    };
  }

  operation(r) {
    const [, method, path] = /^(\S+) (.*)$/.exec(r.operation || `${r.method} ${r.url}`) ?? [null, r.method, r.operation];
    return [h('b', null, method), ' ', path];
  }

  all() {
    this.filter = { search: '', refused: false, reads: true };
    this.set({});
  }
}

customElements.define('q-requests', Requests);
