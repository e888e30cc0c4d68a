// How values are written. Amounts are strings and BigInt, never numbers.

// short abbreviates an ID.
export const short = id => id.length > 14 ? `${id.slice(0, 4)}…${id.slice(-3)}` : id;

// grouped writes an integer with commas.
export const grouped = digits => String(digits).replace(/\B(?=(\d{3})+(?!\d))/g, ',');

// whole writes base units as whole units.
export function whole(base, decimals) {
  const minus = base < 0n ? '-' : '';
  const digits = (base < 0n ? -base : base).toString().padStart(decimals + 1, '0');
  const cut = digits.length - decimals;
  const rest = digits.slice(cut).replace(/0+$/, '');
  return minus + digits.slice(0, cut) + (rest && `.${rest}`);
}

// parseWhole reads a typed amount in whole units exactly, or says what is wrong.
export function parseWhole(text, decimals) {
  const typed = text.trim();
  if (!typed) return { error: '' };
  if (/,/.test(typed)) return { error: 'Enter the amount without commas, and with a dot: 0.25' };
  const found = /^(\d*)(?:\.(\d*))?$/.exec(typed);
  if (!found || typed === '.') return { error: 'Enter an amount in digits: 0.25' };
  const [, units, rest = ''] = found;
  if (rest.replace(/0+$/, '').length > decimals) return { error: `This asset has ${decimals} decimals: enter no more` };
  const base = BigInt((units || '0') + rest.slice(0, decimals).padEnd(decimals, '0'));
  if (base === 0n) return { error: 'Enter an amount above 0' };
  if (base >= 1n << 63n) return { error: 'That is more than the service can hold' };
  return { base };
}

// encode writes JSON; a BigInt becomes a number with all its digits.
export function encode(value) {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return `[${value.map(encode).join(',')}]`;
  if (value && typeof value === 'object') {
    return `{${Object.entries(value).filter(([, v]) => v !== undefined).map(([k, v]) => `${JSON.stringify(k)}:${encode(v)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}

// indent formats a JSON text without touching its values; null if it is not JSON.
export function indent(text) {
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  let out = '', depth = 0;
  const line = () => `\n${'  '.repeat(depth)}`;
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
  tokens.forEach((token, i) => {
    if (token === '}' || token === ']') {
      depth--;
      out += (/[{[]/.test(tokens[i - 1]) ? '' : line()) + token;
    } else if (token === '{' || token === '[') {
      depth++;
      out += token + (/[}\]]/.test(tokens[i + 1]) ? '' : line());
    } else if (token === ',') out += token + line();
    else out += token === ':' ? ': ' : token;
  });
  return out;
}

const pad = (n, width = 2) => String(n).padStart(width, '0');
const day = d => `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())}`;
const clockTime = d => `${pad(d.getHours())}:${pad(d.getMinutes())}:${pad(d.getSeconds())}`;
const zoneFormat = new Intl.DateTimeFormat('en-GB', { timeZoneName: 'short' });

// zone is the short name of the reader's zone at a time.
export const zone = d => zoneFormat.formatToParts(d).find(p => p.type === 'timeZoneName')?.value ?? '';

// utc is a time as it is copied, and shown beside the local one.
export const utc = iso => new Date(iso).toISOString().replace('T', ' ').replace('Z', ' UTC');

// local writes a time in the reader's zone: rows omit the zone, and the day if it is today.
export function local(iso, { today, millis = false, long = false } = {}) {
  const d = new Date(iso);
  const text = clockTime(d) + (millis ? `.${pad(d.getMilliseconds(), 3)}` : '');
  if (long) return `${day(d)} ${text} ${zone(d)}`;
  return today && day(today) === day(d) ? text : `${day(d)} ${text}`;
}

// span writes how long something takes: "52:10", "1 h 00 m", "3 d 4 h".
export function span(seconds) {
  const n = Math.max(0, Math.floor(seconds));
  if (n < 3600) return `${pad(Math.floor(n / 60))}:${pad(n % 60)}`;
  if (n < 86_400) return `${Math.floor(n / 3600)} h ${pad(Math.floor(n / 60) % 60)} m`;
  return `${Math.floor(n / 86_400)} d ${Math.floor(n / 3600) % 24} h`;
}

// took writes how long a request took.
export function took(microseconds) {
  if (microseconds < 1000) return `${microseconds} µs`;
  return microseconds < 10_000 ? `${(microseconds / 1000).toFixed(1)} ms` : `${Math.round(microseconds / 1000)} ms`;
}

// size writes bytes.
export function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1 << 20 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / (1 << 20)).toFixed(1)} MiB`;
}

// count writes a number of things.
export const count = (n, one, many = `${one}s`) => `${grouped(n)} ${n === 1 ? one : many}`;

// words turns "custody_rejected" into "custody rejected".
export const words = name => String(name ?? '').replace(/_/g, ' ');

// capital capitalizes a text.
export const capital = text => text.slice(0, 1).toUpperCase() + text.slice(1);

// query writes the set values as a query.
export function query(values) {
  const set = Object.entries(values).filter(([, v]) => v !== undefined && v !== null && v !== '' && v !== false);
  return set.length ? `?${new URLSearchParams(set)}` : '';
}
