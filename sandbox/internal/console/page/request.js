// One request: why it was refused, its content, the answer, its effects; and sending it again.

import { h } from './dom.js';
import { get, id, post } from './api.js';
import { Screen } from './screen.js';
import { code, copy, facts, hint, moment, para, status, thing } from './parts.js';
import { indent, size, took } from './format.js';

class Request extends Screen {
  static told = ['again'];
  asCame = false;
  second = null; // what sending again was answered

  load(signal) { return get(`/requests/${id(this.at[0])}`, { signal }); }

  content() {
    const r = this.data;
    return [h('header.heading', null, h('a.back', { href: '#/requests' }, '‹ Requests'),
      h('h1', { tabindex: '-1' }, `${r.method} `, h('span.wrap', null, pathOf(r.url))), h('span.row-of', null, status(r.status), r.reason && h('span.why', null, r.reason))),
    r.explanation && this.explain(r.explanation),
    this.summary(r),
    this.changed(r),
    this.doing(r),
    this.second ? h('div.beside', { key: 'beside' }, this.answer(r, 'First answer'), this.answer(this.second, 'Answer to sending it again',
      h('a', { href: `#/requests/${this.second.id}` }, `request ${this.second.id}`)))
      : this.answer(r, 'Answer'),
    this.came(r)];
  }

  summary(r) {
    return facts(['operation', h('code.wrap', null, r.operation || 'none such')], ['came', moment(r.at)], ['took', took(r.microseconds)], ['API', r.api === 'qapi' ? 'Qredo API v1' : 'Partner API'],
      ['key', r.key && h('span.mono', null, r.key)], ['PartnerTxID', r.partner_tx_id && h('span.row-of', null, copy(r.partner_tx_id, 'the PartnerTxID', { shown: r.partner_tx_id, class: 'as-text' }),
        h('span.state', null, r.existing ? 'existing' : 'new'))],
      ['fault', r.fault && `${r.fault}: the answer was ${r.answer?.replace('_', ' ')}`], ['sent again from', r.resent_from && h('a', { href: `#/requests/${r.resent_from}` }, `request ${r.resent_from}`)]);
  }

  // explain shows the verified and the signed text, with differences marked.
  explain(e) {
    if (e.valid) return h('section.explain.is-good', { key: 'explain' }, h('h2', null, 'The signature is right'));
    return h('section.explain', { key: 'explain', 'aria-label': 'Why it was refused' }, h('h2', null, 'Why it was refused'),
      (e.differences ?? []).map(d => h('div.remedy', null, para(d.part && h('b', null, `${d.part}: `), d.found), d.remedy && h('p.do', null, d.remedy))),
      e.verified?.length > 0 && h('div.compare', null, this.runs('What the sandbox verified', e.verified),
        e.signed?.length > 0 ? this.runs('What was probably signed', e.signed) : h('p.hint', null, 'The signed text could not be determined. Print what your program signs, and compare it with this.')));
  }

  runs(title, runs) {
    return h('div.signed', null, h('h3', null, title), h('p.bytes', { tabindex: '0', role: 'group', 'aria-label': title },
      runs.map(run => (run.differs ? h('mark', null, h('span.unseen', null, ' differs here: '), visible(run.text), h('span.unseen', null, ' end of the difference ')) : visible(run.text)))),
    copy(runs.map(run => run.text).join(''), title.toLowerCase(), { shown: 'Copy' }));
  }

  changed(r) {
    return r.about?.length > 0 && h('section', { key: 'about' }, h('h2', null, 'What it is about'),
      h('ul.plain', null, r.about.map(a => h('li', null, hint(`${a.kind} `), a.kind === 'approval' && a.label ? h('a', { href: `#/phone/${id(a.id)}` }, a.label) : thing(a.kind, a.id, a.label)))));
  }

  doing(r) {
    const writesAnew = r.method !== 'GET' && !r.partner_tx_id;
    const send = async () => { this.second = await post(`/requests/${id(r.id)}/resend`); };
    return h('section', { key: 'doing' }, h('div.row-of', null, r.curl && copy(r.curl, 'a curl command', { shown: 'Copy as curl' }),
      !r.resendable ? hint(`It cannot be sent again: ${r.not_resendable || 'the sandbox does not hold its key'}`)
        : writesAnew ? this.twice('again', 'Send again', 'It has no PartnerTxID: whatever it creates is created once more. Send?', send)
          : this.button('again', 'Sign and send again', send)), this.wrongOf('again'),
    r.curl && h('details', null, h('summary', null, 'curl'), code(r.curl, 'a curl command')));
  }

  answer(r, title, ...more) {
    return h('section.answer', { key: title }, h('h2', null, title, ' ', status(r.status), ' ', more),
      r.answer && r.answer !== 'sent' && h('p.hint', null, `The client did not get this: ${r.answer.replace('_', ' ')}${r.fault ? `, by the fault ${r.fault}` : ''}.`),
      r.handled_status > 0 && r.handled_status !== r.status && h('p.hint', null, 'The original answer: ', status(r.handled_status)),
      this.body(r.answer_body, r.answer_body_encoding, r.body_cut, 'answer'), typeof r.sent_body === 'string' && [h('p.hint', null, 'The client got this instead:'),
        this.body(r.sent_body, '', false, 'sent answer')], this.headers(r.answer_headers));
  }

  came(r) {
    return h('section', { key: 'came' }, h('h2', null, 'Request ', h('label.plain-label', null,
      h('input', { type: 'checkbox', checked: this.asCame, onchange: e => { this.asCame = e.currentTarget.checked; this.draw(); } }), 'bodies as they came')),
      h('div.code-block', null, h('pre', { tabindex: '0', 'aria-label': 'URL' }, `${r.method} ${r.url}`), copy(r.url, 'the URL', { shown: 'Copy' })),
      this.body(r.request_body, r.request_body_encoding, r.body_cut, 'request'), this.headers(r.request_headers));
  }

  body(text, encoding, cut, what) {
    if (!text) return h('p.hint', null, `No body.`);
    const shown = encoding || this.asCame ? text : indent(text) ?? text;
    return [encoding && h('p.hint', null, `Not text: shown in ${encoding}.`), code(shown, `the ${what}'s body`), cut && h('p.hint', null, `Only the first ${size(65_536)} are kept.`)];
  }

  headers(list) {
    return list?.length > 0 && h('details', null, h('summary', null, `Headers (${list.length})`), h('dl.headers', null, list.map(x => h('div', null, h('dt', null, x.name), h('dd', null, x.value)))));
  }
}

// pathOf is the part after the host.
const pathOf = url => url.replace(/^[a-z]+:\/\/[^/]*/, '');

// visible shows invisible characters.
const visible = text => text.replace(/[\u0000-\u0009\u000b-\u001f\u007f\u00a0\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, c => `\\u{${c.codePointAt(0).toString(16)}}`);

customElements.define('q-request', Request);
