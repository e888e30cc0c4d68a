// The frame: clock and faults, the list of screens, and the keys.

import { Box, announce, announcer, h } from './dom.js';
import { connect, now, on, overview, post, readOverview, stream } from './api.js';
import { left, wrong } from './parts.js';
import { count, grouped, local, span, utc, zone } from './format.js';
import './phone.js';
import './requests.js';
import './money.js';
import './transactions.js';
import './feeds.js';
import './faults.js';
import './clock.js';
import './world.js';
import './make.js';

// The screens, in order; minor ones are behind "More" if the list is a bar. counts is the number beside a name, and what it counts.
const screens = [
  { name: 'phone', title: 'Phone', major: true, counts: o => [o.waiting, 'waiting'] },
  { name: 'requests', title: 'Requests', major: true, counts: o => [o.refused, 'refused'] },
  { name: 'money', title: 'Money', major: true },
  { name: 'transactions', title: 'Transactions', short: 'Txs', major: true },
  { name: 'make', title: 'Make' },
  { name: 'feeds', title: 'Feeds', counts: o => [o.feeds, 'connected'] },
  { name: 'faults', title: 'Faults', counts: o => [o.faults?.rules, 'active'] },
  { name: 'clock', title: 'Clock' },
  { name: 'world', title: 'World' },
];

// Things that a route can begin with, and the screens that show them.
const shownBy = { tx: 'transactions', wallet: 'money' };

const keys = [
  ['/', 'search'], ['j  k', 'next and previous row'], ['Enter', 'open the row'], ['Esc', 'close, or go back to the list'],
  ['1 … 9', 'the screens, from Phone on'], ['Space', 'pause or resume (Requests)'], ['?', 'these keys'],
];

function route() {
  const [first = '', ...rest] = location.hash.replace(/^#\/?/, '').split('/').filter(Boolean).map(part => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  const name = shownBy[first] ?? first;
  const screen = screens.find(s => s.name === name) ?? screens[0];
  return { screen, at: shownBy[first] && first === 'wallet' ? ['wallet', ...rest] : rest };
}

class App extends Box {
  problems = {};
  more = false;
  over = false;
  main = h('main', { id: 'main', tabindex: '-1', key: 'main' }); // it stays: what is moved in a page is taken out of it first

  connectedCallback() {
    addEventListener('hashchange', () => this.turn());
    addEventListener('keydown', e => this.key(e));
    on(['state', 'overview'], () => this.draw());
    on(['change', 'request', 'faults', 'feeds', 'clock', 'again'], () => this.soon());
    on('over', () => { this.over = true; this.draw(); });
    setInterval(() => this.tick(), 1000);
    connect();
    this.turn();
    readOverview();
  }

  soon() {
    this.timer ??= setTimeout(async () => {
      this.timer = null;
      const before = overview.value;
      await readOverview();
      const after = overview.value;
      if (before && after && after.waiting > before.waiting) {
        announce(`${count(after.waiting - before.waiting, 'transaction')} more to approve; ${after.waiting} pending`, 'assertive');
      }
    }, 300);
  }

  // turn goes to the address.
  turn() {
    const { screen, at } = route();
    const changed = screen !== this.screen;
    this.screen = screen;
    this.more = false;
    if (changed) {
      this.shown = h(`q-${screen.name}`, { key: screen.name });
      this.shown.at = at;
      this.main.replaceChildren(this.shown);
    } else this.shown.go(at);
    document.title = `${screen.title} · qredo sandbox`;
    this.draw();
    if (changed && this.began) this.main.focus({ preventScroll: true });
    this.began = true;
  }

  key(e) {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const typing = e.target.closest?.('input:not([type=checkbox]), textarea, select');
    if (e.key === 'Escape') {
      if (this.querySelector('dialog[open]')) return;
      if (this.shown.escape?.()) return;
      if (typing) typing.blur();
      else if (this.more) this.toggleMore(false);
      else if (route().at.length && this.screen.name !== 'phone' && this.screen.name !== 'make') location.hash = `#/${this.screen.name}`;
      return;
    }
    if (typing || this.querySelector('dialog[open]')) return;
    const list = [...this.querySelectorAll('main q-list')].find(l => l.offsetParent);
    const search = [...this.querySelectorAll('[data-search]')].find(i => i.offsetParent);
    const does = {
      '/': () => search?.focus(),
      j: () => list?.step(1),
      k: () => list?.step(-1),
      '?': () => this.querySelector('dialog').showModal(),
      ' ': () => this.shown.pause && e.target.closest('button, a, summary, input') === null && (this.shown.pause(), true),
    }[e.key] ?? (/^[1-9]$/.test(e.key) ? () => { location.hash = `#/${screens[e.key - 1].name}`; } : null);
    if (does && does() !== false) e.preventDefault();
  }

  toggleMore(on = !this.more) {
    this.more = on;
    this.draw();
    if (!on) this.querySelector('.more')?.focus();
  }

  tick() {
    const face = this.querySelector('.now');
    if (face) {
      const iso = now().toISOString();
      face.textContent = local(iso, { today: now() });
      face.title = utc(iso);
      face.dateTime = iso;
    }
  }

  async do(name, what) {
    try {
      await what();
      this.problems = {};
      await readOverview();
    } catch (err) {
      this.problems = { [name]: err };
    }
    this.draw();
  }

  view() {
    return [h('a.skip', { href: '#main', onclick: e => { e.preventDefault(); this.main.focus(); } }, 'To the content'),
      this.head(), this.lost(), this.nav(),
      this.main,
      this.help(), announcer()];
  }

  head() {
    const o = overview.value, iso = now().toISOString();
    const faults = o?.faults?.rules ?? 0;
    return h('header.top', null,
      h('a.brand', { href: '#/phone' }, 'qredo sandbox'),
      h('span.link', { class: stream.live ? 'is-live' : 'is-lost' }, h('span', { 'aria-hidden': 'true' }, stream.live ? '●' : '○'), stream.live ? 'live' : 'not live'),
      h('div.clock', { role: 'group', 'aria-label': 'Clock' },
        h('a', { href: '#/clock', title: 'The sandbox\'s time, in your zone' }, h('time.now', { datetime: iso, title: utc(iso) }, local(iso, { today: now() })), ` ${zone(now())}`,
          o?.advanced_seconds ? h('span.moved', null, ` +${span(o.advanced_seconds)}`) : null),
        this.advance('+1m', 60, 'a minute'), this.advance('+1h', 3600, 'an hour'),
        h('button.quiet', { type: 'button', disabled: !o?.next_expiry, title: o?.next_expiry ? `To ${o.next_expiry.type}'s expiry` : 'Nothing expires', 'aria-label': 'Forward to the next expiry',
          onclick: () => this.do('clock', () => post('/clock/advance', { to_next_expiry: true })) }, h('span.wide', { 'aria-hidden': 'true' }, '▸ '), 'next', h('span.wide', null, ' expiry')),
        o?.next_expiry ? h('span.expiry', null, left(o.next_expiry.at, { before: 'in ', ended: 'due' })) : null,
        wrong(this.problems.clock)),
      h('div.fault', { role: 'group', 'aria-label': 'Faults' },
        h('a', { href: '#/faults', class: faults ? 'is-on' : '' }, faults ? `⚠ Faults: ${faults} on` : 'Faults: off', faults && o.faults.hits ? ` · ${grouped(o.faults.hits)} hit` : null),
        faults ? h('button.quiet', { type: 'button', 'aria-label': 'Turn all faults off', onclick: () => this.do('faults', () => post('/faults', { seed: 0, rules: [] })) }, 'off') : null,
        wrong(this.problems.faults)));
  }

  advance(label, seconds, by) {
    return h('button.quiet', { type: 'button', onclick: () => this.do('clock', () => post('/clock/advance', { seconds })) },
      h('span.unseen', null, `Forward by ${by}: `), h('span.wide', { 'aria-hidden': 'true' }, '▸ '), label);
  }

  lost() {
    if (this.over) {
      return h('div.lost', { role: 'alert', key: 'lost' }, 'This session has ended. Open the console\'s URL again: ', h('code', null, 'qredo sandbox serve'), '  prints it, with the token.');
    }
    if (!stream.since) return null;
    return h('div.lost', { role: 'alert', key: 'lost' }, 'What you see may be out of date: the connection was lost at ',
      h('time', { datetime: stream.since.toISOString(), title: utc(stream.since.toISOString()) }, local(stream.since.toISOString(), { today: stream.since })),
      '. It reconnects by itself and then reads everything again.');
  }

  nav() {
    return h('nav', { 'aria-label': 'Screens', class: this.more ? 'is-more' : '', key: 'nav' },
      h('ul', null, screens.map(item => {
        const [n, what] = (overview.value && item.counts?.(overview.value)) || [0];
        return h('li', { key: item.name, class: item.major ? '' : 'minor' },
          h('a', { href: `#/${item.name}`, 'aria-current': item === this.screen ? 'page' : null },
            h('span.title', null, item.title), item.short && h('span.short', { 'aria-hidden': 'true' }, item.short),
            n > 0 && h('span.n', { title: `${grouped(n)} ${what}` }, n > 999 ? `${grouped(Math.floor(n / 1000))}k` : String(n), h('span.unseen', null, ` ${what}`))));
      }),
      h('li.only-bar', { key: 'more' }, h('button.more', { type: 'button', 'aria-expanded': String(this.more), class: this.screen?.major ? '' : 'is-here', onclick: () => this.toggleMore() },
        this.more ? 'Less' : this.screen?.major ? 'More' : this.screen?.title))),
      h('p.foot', null, h('button.quiet', { type: 'button', onclick: () => this.querySelector('dialog').showModal() }, h('kbd', null, '?'), ' keys'),
        overview.value?.version && h('span', null, overview.value.version)));
  }

  help() {
    return h('dialog', { key: 'help', 'aria-labelledby': 'keys-title' },
      h('h2', { id: 'keys-title' }, 'Keys'),
      h('dl.keys', null, keys.map(([key, what]) => h('div', null, h('dt', null, key.split('  ').map(k => h('kbd', null, k))), h('dd', null, what)))),
      h('button', { type: 'button', autofocus: true, onclick: e => e.currentTarget.closest('dialog').close() }, 'Close'));
  }
}

customElements.define('q-app', App);
