/**
 * HTTP dates (RFC 9110 5.6.7): the fixed form that is sent, and the two obsolete ones that must be
 * understood. Date.parse takes far more, some of it in the local time zone.
 */

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const TIME = String.raw`(?<hour>\d{2}):(?<minute>\d{2}):(?<second>\d{2})`;
const FORMS = [
  // Sun, 06 Nov 1994 08:49:37 GMT
  new RegExp(String.raw`^[a-z]{3}, (?<day>\d{2}) (?<month>[a-z]{3}) (?<year>\d{4}) ${TIME} gmt$`),
  // Sunday, 06-Nov-94 08:49:37 GMT
  new RegExp(String.raw`^[a-z]{6,9}, (?<day>\d{2})-(?<month>[a-z]{3})-(?<year>\d{2}) ${TIME} gmt$`),
  // Sun Nov  6 08:49:37 1994
  new RegExp(String.raw`^[a-z]{3} (?<month>[a-z]{3}) (?<day>[ \d]\d) ${TIME} (?<year>\d{4})$`),
];
const HTTP_DATE_CHARS_MAX = 40;

/** A year of two digits that would lie more than fifty years ahead is of the century before. */
function fullYear(text: string, nowMs: number): number {
  if (text.length === 4) return Number(text);
  const thisYear = new Date(nowMs).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + Number(text);
  return year > thisYear + 50 ? year - 100 : year;
}

function fieldsOf(text: string): Record<string, string> | undefined {
  const lower = text.trim().toLowerCase();
  for (const form of FORMS) {
    const fields = form.exec(lower)?.groups;
    if (fields !== undefined) return fields;
  }
  return undefined;
}

/** Milliseconds since the epoch; undefined for what is no HTTP date, which the RFC says to ignore. */
export function parseHttpDate(text: string, nowMs = Date.now()): number | undefined {
  const fields = text.length > HTTP_DATE_CHARS_MAX ? undefined : fieldsOf(text);
  if (fields === undefined) return undefined;
  const [day, hour, minute, second] = ['day', 'hour', 'minute', 'second'].map((name) => Number(fields[name]));
  const month = MONTHS.indexOf(fields['month'] ?? '');
  const date = Date.UTC(fullYear(fields['year'] ?? '', nowMs), month, day, hour, minute, second);
  const isReal = month !== -1 && new Date(date).getUTCDate() === day && new Date(date).getUTCHours() === hour;
  return isReal ? date : undefined;
}
