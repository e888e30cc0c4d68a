// Elements that are updated in place: focus, input and scroll position stay. Text is only ever set as text.

const PROPS = Symbol('props'); // what an element was made with
const LIVE = new Set(['value', 'checked', 'open', 'indeterminate']); // properties: the attribute says only how it began
const SVG = 'http://www.w3.org/2000/svg';

// h makes an element. The tag can have classes: 'li.row.is-refused'. A prop is an attribute, or a handler if it begins
// with "on"; false and null omit it. key identifies siblings in updates.
export function h(tag, props, ...children) {
  return make(document.createElement, tag, props, children);
}

// s is h for SVG.
export function s(tag, props, ...children) {
  return make(name => document.createElementNS(SVG, name), tag, props, children);
}

function make(create, tag, props, children) {
  const [name, ...classes] = tag.split('.');
  const el = create.call(document, name);
  props = { ...props };
  if (classes.length || props.class) props.class = [...classes, props.class].filter(Boolean).join(' ');
  el.append(...nodes(children));
  for (const [key, value] of Object.entries(props)) assign(el, key, value);
  el[PROPS] = props;
  return el;
}

function nodes(children) {
  return children.flat(Infinity).filter(c => c !== null && c !== undefined && c !== false && c !== '')
    .map(c => c instanceof Node ? c : document.createTextNode(upright(c)));
}

// upright shows characters that change the text direction as codes, so that no name can disguise an amount or an address.
const upright = text => String(text).replace(/[\u202a-\u202e\u2066-\u2069]/g, c => `\\u{${c.codePointAt(0).toString(16)}}`);

function assign(el, name, value) {
  if (name === 'key') return;
  if (name.startsWith('on') || name === 'data' || name === 'at') el[name] = value ?? null;
  else if (LIVE.has(name)) el[name] = value ?? '';
  else if (value === false || value === null || value === undefined) el.removeAttribute(name);
  else el.setAttribute(name, value === true ? '' : value);
}

// show updates an element's content.
export function show(el, ...children) {
  replace(el, nodes(children));
}

function replace(el, next) {
  const keyed = new Map(), wanted = new Set(next.map(node => node[PROPS]?.key));
  for (const child of [...el.children]) {
    const key = child[PROPS]?.key;
    if (key === undefined) continue;
    if (wanted.has(key)) keyed.set(key, child);
    else child.remove(); // first, so that those that stay need not be moved
  }
  let at = el.firstChild;
  for (const node of next) {
    const key = node[PROPS]?.key;
    const old = key === undefined ? at : keyed.get(key);
    if (!old || !alike(old, node)) {
      el.insertBefore(node, at);
      continue;
    }
    if (old === at) at = at.nextSibling;
    else el.insertBefore(old, at);
    update(old, node);
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

const alike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && a[PROPS]?.key === b[PROPS]?.key;

function update(old, node) {
  if (old === node) return;
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== node.data) old.data = node.data;
    return;
  }
  const was = old[PROPS] ?? {}, is = node[PROPS] ?? {};
  for (const name in was) if (!(name in is)) assign(old, name, null);
  if (!old.draw) replace(old, [...node.childNodes]); // an element of our own draws itself
  for (const name in is) if (is[name] !== was[name]) assign(old, name, is[name]);
  old[PROPS] = is;
}

// renew updates an element from another, and returns it.
export function renew(old, node) {
  update(old, node);
  return old;
}

// Box is an element that draws itself: view returns its content.
export class Box extends HTMLElement {
  draw() {
    if (this.isConnected) show(this, this.view());
  }
}

const said = { polite: null, assertive: null };

// announcer makes the regions for screen readers.
export function announcer() {
  return ['polite', 'assertive'].map(kind => {
    said[kind] ??= h('div.unseen', { 'aria-live': kind, role: kind === 'polite' ? 'status' : 'alert', key: kind });
    return said[kind];
  });
}

// announce tells screen readers what changed.
export function announce(text, kind = 'polite') {
  if (said[kind]) said[kind].textContent = text;
}

// save downloads a text as a file.
export function save(name, text, type = 'text/plain') {
  const url = URL.createObjectURL(new Blob([text], { type }));
  h('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
