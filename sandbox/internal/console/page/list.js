// List shows a long list: only visible rows are in the page, and more are loaded when needed. New rows appear at once if the
// top is visible; otherwise behind a button.

import { announce, h, renew, show } from './dom.js';
import { grouped } from './format.js';

const PAGE = 200, OVER = 8;

export class List extends HTMLElement {
  rows = [];
  total = 0;
  next = null; // where to go on
  fresh = 0; // rows that wait
  paused = false;
  current = null; // the key of the row that keys move from
  slots = new Map(); // the rows that are in the page, by their key
  data = null; // {read(after, limit, signal) → {rows, total, next}, row(r) → content, key(r), link(r), tall, label, empty(), one}

  // draw lets this element draw itself.
  draw() { this.paint(); }

  connectedCallback() {
    if (this.scroller) {
      this.renew();
      return;
    }
    this.bar = h('div.waiting');
    this.sheet = h('div.sheet', { role: 'list' });
    this.scroller = h('div.scroller', { tabindex: '-1', onscroll: () => this.paint() }, this.sheet);
    this.append(this.bar, this.scroller);
    this.watch = new ResizeObserver(() => this.paint());
    this.watch.observe(this.scroller);
    this.addEventListener('focusin', e => { this.current = e.target.closest('[data-row]')?.dataset.row ?? this.current; });
    this.renew();
  }

  get height() { return matchMedia('(max-width: 700px)').matches ? this.data.tall ?? 56 : 34; }

  get atTop() { return this.scroller.scrollTop < 4; }

  // renew rereads the list from its top.
  async renew() {
    this.stop?.abort();
    const stop = this.stop = new AbortController();
    try {
      const first = await this.readFirst(stop.signal);
      if (stop.signal.aborted) return;
      Object.assign(this, { rows: first.rows, total: first.total ?? first.rows.length, next: first.next ?? null, fresh: 0, error: null, read: true });
      this.scroller.scrollTop = 0;
    } catch (err) {
      if (err.name === 'AbortError') return;
      this.error = err;
    }
    this.more = null;
    this.paint();
    this.dispatchEvent(new Event('counted', { bubbles: true }));
  }

  // readFirst reads the first page with rows: a page of a search can be empty although more follow.
  async readFirst(signal) {
    let page = await this.data.read(null, PAGE, signal);
    while (!page.rows.length && page.next) page = await this.data.read(page.next, PAGE, signal);
    return page;
  }

  // counted is the known number of rows.
  get counted() { return grouped(Math.max(this.total, this.rows.length)) + (this.next && this.rows.length >= this.total ? '+' : ''); }

  // look reads new rows. change: known rows may have changed too.
  look(change = false) {
    this.again ||= change;
    this.due ??= setTimeout(() => {
      this.due = null;
      this.lookNow();
    }, 250);
  }

  async lookNow() {
    if (!this.isConnected || !this.read) return;
    let first;
    try {
      first = await this.readFirst(this.stop?.signal);
    } catch {
      return; // the bar says that the sandbox cannot be reached
    }
    const { key } = this.data, known = this.rows.length ? key(this.rows[0]) : null;
    const news = known === null ? first.rows.length : first.rows.findIndex(r => key(r) === known);
    if (this.again) { // rows that are there are brought up to date in place
      this.again = false;
      const at = new Map(this.rows.map((r, i) => [key(r), i]));
      for (const r of first.rows) if (at.has(key(r))) this.rows[at.get(key(r))] = r;
    }
    const more = news < 0 ? (first.total ?? 0) - this.total : news;
    if (this.paused || !this.atTop) this.fresh = Math.max(0, (first.total ?? 0) - this.total, more);
    else if (news < 0) Object.assign(this, { rows: first.rows, total: first.total ?? first.rows.length, next: first.next ?? null, fresh: 0 });
    else {
      this.rows.unshift(...first.rows.slice(0, news));
      this.total = first.total ?? this.rows.length;
      this.fresh = 0;
      if (!this.next && this.rows.length < this.total) this.next = first.next ?? null;
    }
    if (more > 0) announce(`${grouped(more)} new ${this.data.one}${more === 1 ? '' : 's'}`);
    this.paint();
    this.dispatchEvent(new Event('counted', { bubbles: true }));
  }

  async readMore() {
    if (this.more || !this.next) return;
    const { signal } = this.stop;
    const more = this.more = this.data.read(this.next, 500, signal);
    try {
      const page = await more;
      if (signal.aborted) return;
      this.rows.push(...page.rows);
      this.next = page.next ?? null;
      if (!this.next) this.total = this.rows.length; // what came at the other end may have pushed some out
    } catch (err) {
      if (err.name === 'AbortError') return;
      this.error = err;
      this.next = null;
    }
    this.more = null;
    this.paint();
  }

  paint() {
    if (!this.scroller || !this.data) return;
    const { key, row, link, label } = this.data, { height } = this;
    const seen = Math.ceil(this.scroller.clientHeight / height) || 1;
    const from = Math.max(0, Math.floor(this.scroller.scrollTop / height) - OVER);
    const to = Math.min(this.rows.length, from + seen + 2 * OVER);
    const indexes = Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
    // The focused row stays.
    const held = this.contains(document.activeElement) ? this.rows.findIndex(r => String(key(r)) === this.current) : -1;
    if (held >= 0 && (held < from || held >= to)) indexes.push(held);
    this.sheet.setAttribute('aria-label', label);
    const was = this.slots, slots = this.slots = new Map();
    const shown = indexes.map(i => {
      const r = this.rows[i], name = String(key(r)), mark = `${i} ${this.total} ${this.open === name}`;
      const old = was.get(name);
      if (old?.row === r && old.mark === mark) {
        slots.set(name, old);
        return old.node;
      }
      const made = h('div.slot', { key: name, role: 'listitem', 'aria-setsize': String(this.total), 'aria-posinset': String(i + 1) },
        h('a.row', { href: link(r), 'data-row': name, 'aria-current': this.open === name ? 'true' : null, class: this.data.rowClass?.(r) ?? '' }, row(r)));
      const slot = { row: r, mark, node: old ? renew(old.node, made) : made };
      slots.set(name, slot);
      return slot.node;
    });
    show(this.sheet, shown);
    [...this.sheet.children].forEach((slot, n) => {
      slot.style.transform = `translateY(${indexes[n] * height}px)`;
      slot.style.height = `${height}px`;
    });
    this.sheet.style.height = `${(this.next ? Math.max(this.total, this.rows.length) : this.rows.length) * height}px`;
    show(this.bar, this.fresh > 0 && h('button.fresh', { type: 'button', onclick: () => this.renew() }, `↑ ${grouped(this.fresh)} new`),
      this.error && h('p.error', { role: 'alert' }, this.error.message, ' ', h('button', { type: 'button', onclick: () => this.renew() }, 'Try again')),
      this.read && !this.rows.length && !this.error && this.data.empty());
    this.scroller.hidden = this.read && !this.rows.length;
    if (to + OVER >= this.rows.length || this.scroller.scrollTop + this.scroller.clientHeight > this.rows.length * height) this.readMore();
  }

  // step moves the focus by rows.
  step(by) {
    if (!this.rows.length) return;
    const { key } = this.data;
    const at = this.rows.findIndex(r => String(key(r)) === this.current);
    const to = at < 0 ? 0 : Math.min(this.rows.length - 1, Math.max(0, at + by));
    this.focusRow(String(key(this.rows[to])));
  }

  // focusRow focuses a row, and reports whether it exists.
  focusRow(wanted = this.current) {
    const { key } = this.data;
    const at = this.rows.findIndex(r => String(key(r)) === String(wanted));
    if (at < 0) return false;
    this.current = String(wanted);
    const top = at * this.height, { scrollTop, clientHeight } = this.scroller;
    if (top < scrollTop) this.scroller.scrollTop = top;
    else if (top + this.height > scrollTop + clientHeight) this.scroller.scrollTop = top + this.height - clientHeight;
    this.paint();
    this.sheet.querySelector(`[data-row="${CSS.escape(this.current)}"]`)?.focus({ preventScroll: true });
    return true;
  }

  // back returns to a row, but not from a field: the address changes late, perhaps after `/` was pressed.
  back(row) { if (!document.activeElement?.matches('input')) this.focusRow(row); }

  // mark marks the open row.
  mark(open) {
    this.open = open === undefined ? undefined : String(open);
    this.paint();
  }

  disconnectedCallback() {
    this.stop?.abort();
    clearTimeout(this.due);
    this.due = null;
  }
}

customElements.define('q-list', List);
