// Feeds: connections, their last messages, and disturbances.

import { h } from './dom.js';
import { get, post } from './api.js';
import { Screen } from './screen.js';
import { empty, facts, heading, hint, moment, state, when } from './parts.js';
import { grouped, indent } from './format.js';

class Feeds extends Screen {
  static told = ['feeds', 'change', 'again'];

  load(signal) { return get('/feeds', { signal }); }

  content() {
    const { feeds, delay_ms: delay = 0, duplicate = false } = this.data;
    return [heading('Feeds', hint(feeds.length ? `${grouped(feeds.length)} connected` : '')),
      h('section.tools.panel', { 'aria-label': 'All feeds' }, h('b', null, 'All: '),
        this.twice('drop', 'Drop all', 'Cut all connections?', () => post('/feeds/drop', {}), { off: !feeds.length }),
          this.button('freeze', 'Freeze all', () => post('/feeds/freeze', {}), { off: !feeds.length }),
        h('label', null, 'Delay each message by ', h('select', { value: String(delay), onchange: e => { const ms = Number(e.currentTarget.value); this.act('delay',
          () => post('/feeds/delay', { milliseconds: ms })); } },
          [...new Set([0, 500, 2000, 10_000, delay])].map(ms => h('option', { value: String(ms), key: ms }, ms ? `${ms / 1000} s` : 'nothing')))),
        h('label', null, h('input', { type: 'checkbox', checked: duplicate, onchange: e => { const on = e.currentTarget.checked; this.act('duplicate', () => post('/feeds/duplicate', { on })); } }),
          'send each message twice'),
        ['drop', 'freeze', 'delay', 'duplicate'].map(name => this.wrongOf(name))),
      !feeds.length && empty('No program is connected. Watch a core client\'s feed with the command, or with the Go client:', 'qredo agent feed --help'),
      h('ul.feeds', null, feeds.map(f => this.feed(f)))];
  }

  feed(f) {
    return h('li.panel', { key: f.id }, h('div.row-of', null, state(f.state), h('code.wrap', null, f.url)),
      facts(['key', f.key && h('span.mono', null, f.key)], ['account', f.account], ['since', moment(f.since)], ['messages', grouped(f.messages)], ['last', f.last_at && when(f.last_at)]),
      f.last && h('details', null, h('summary', null, 'The last message'), h('pre', { tabindex: '0', 'aria-label': 'The last message' }, indent(f.last) ?? f.last)),
      h('div.row-of', null, this.twice(`drop ${f.id}`, 'Drop', 'Cut this connection?', () => post('/feeds/drop', { id: f.id })),
        f.state !== 'frozen' && this.button(`freeze ${f.id}`, 'Freeze', () => post('/feeds/freeze', { id: f.id })),
        this.wrongOf(`drop ${f.id}`), this.wrongOf(`freeze ${f.id}`)));
  }
}

customElements.define('q-feeds', Feeds);
