// Screen is the base of all screens.

import { Box, h } from './dom.js';
import { on } from './api.js';
import { wrong } from './parts.js';

const CALM = 250; // milliseconds in which several changes are one

export class Screen extends Box {
  at = []; // the rest of the route: ['3Mk…']
  data = null;
  error = null; // why it could not be read
  errors = {}; // why an action could not be carried out, by its name
  busy = {};
  armed = null; // the action that waits for its second click

  // told are the messages that make the screen reread.
  static told = ['change', 'again', 'clock'];

  connectedCallback() {
    this.stop = on(this.constructor.told, () => this.soon());
    this.refresh();
  }

  disconnectedCallback() {
    this.stop?.();
    clearTimeout(this.timer);
    this.reading?.abort();
  }

  // go shows another thing on the same screen.
  go(at) {
    if (at.join('/') === this.at.join('/')) return;
    this.at = at;
    this.errors = {};
    this.armed = null;
    if (this.isConnected) this.refresh();
  }

  soon() {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.refresh();
    }, CALM);
  }

  async refresh() {
    this.reading?.abort();
    const reading = this.reading = new AbortController();
    try {
      const data = await this.load(reading.signal);
      if (reading.signal.aborted) return;
      this.data = data;
      this.error = null;
    } catch (err) {
      if (err.name === 'AbortError' || reading.signal.aborted) return;
      this.error = err;
    }
    this.draw();
  }

  async load() { return {}; }

  view() {
    if (!this.data) return this.error ? [h('div.pad', null, wrong(this.error), this.again())] : h('p.pad.hint', null, 'Reading…');
    return [this.error && h('div.pad', { key: 'error' }, wrong(this.error), this.again()), this.content()];
  }

  again() { return h('button', { type: 'button', onclick: () => this.refresh() }, 'Try again'); }

  // act runs an action; its error is shown by wrongOf(name).
  async act(name, what) {
    if (this.busy[name]) return undefined;
    const focus = this.contains(document.activeElement) ? document.activeElement : null;
    this.busy[name] = true;
    this.errors[name] = null;
    this.armed = null;
    this.draw();
    try {
      const result = await what();
      await this.refresh();
      return result ?? true;
    } catch (err) {
      this.errors[name] = err;
      return undefined;
    } finally {
      this.busy[name] = false;
      this.draw();
      this.refocus(focus);
    }
  }

  // refocus restores a lost focus, or focuses the replacement.
  refocus(focus) {
    if (!focus || (document.activeElement && document.activeElement !== document.body)) return;
    (focus.isConnected && !focus.disabled ? focus : this.querySelector('.over a, h1, h2'))?.focus();
  }

  wrongOf(name) { return wrong(this.errors[name]); }

  // button acts at once.
  button(name, label, what, props = {}) {
    return h('button', { type: 'button', key: name, 'data-key': name, disabled: Boolean(this.busy[name]) || props.off, ...props, off: null, onclick: () => this.act(name, what) }, label);
  }

  // twice is a button that asks for a second click. A double click counts as one.
  twice(name, label, sure, what, props = {}) {
    if (this.armed !== name) {
      return h('button', { type: 'button', key: name, 'data-key': name, disabled: Boolean(this.busy[name]) || props.off, ...props, off: null, onclick: () => this.arm(name) }, label);
    }
    return h('span.sure', { key: `${name}?` },
      h('button.is-sure', { type: 'button', 'data-sure': name, class: props.class, onclick: e => e.detail > 1 || this.act(name, what) }, sure),
      h('button', { type: 'button', onclick: () => this.disarm(name) }, 'Not yet'));
  }

  arm(name) {
    this.armed = name;
    this.draw();
    this.querySelector(`[data-sure="${CSS.escape(name)}"]`)?.focus();
  }

  disarm(name) {
    this.armed = null;
    this.draw();
    [...this.querySelectorAll('button')].find(b => b.dataset.key === name)?.focus();
  }

  // escape is called before a key leaves the screen: it reports whether there was something to close.
  escape() {
    if (!this.armed) return false;
    this.disarm(this.armed);
    return true;
  }
}
