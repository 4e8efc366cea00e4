/** Numbers as people read them. Units of bytes are binary, as in the settings. */

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** Three digits that count, never more. */
function short(value: number): string {
  if (value >= 100 || Number.isInteger(value)) return Math.round(value).toString();
  return value >= 10 ? value.toFixed(1) : value.toFixed(value < 0.1 ? 0 : 1);
}

export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), BYTE_UNITS.length - 1);
  return `${short(bytes / 1024 ** power)} ${BYTE_UNITS[power]}`;
}

export function formatCount(count: number): string {
  if (count < 10_000) return short(count);
  return count < 1_000_000 ? `${short(count / 1000)} k` : `${short(count / 1_000_000)} M`;
}

export function formatPercent(ratio: number): string {
  const percent = ratio * 100;
  return `${percent > 99 && percent < 100 ? percent.toFixed(1) : short(percent)} %`;
}

export function formatDuration(seconds: number): string {
  const whole = Math.floor(seconds);
  const [days, hours, minutes] = [86_400, 3600, 60].map((unit) => Math.floor(whole / unit)) as [
    number,
    number,
    number,
  ];
  if (days > 0) return `${days} d ${hours % 24} h`;
  if (hours > 0) return `${hours} h ${minutes % 60} min`;
  return minutes > 0 ? `${minutes} min` : `${whole} s`;
}
