import { describe, expect, it } from 'vitest';
import { tellForm } from '../../../src/redis/foreign-form.ts';

const base64 = Buffer.alloc(60, 7).toString('base64');

function tell(value: string | readonly number[]): string | undefined {
  return tellForm(typeof value === 'string' ? Buffer.from(value) : Uint8Array.from(value));
}

describe('the form of a value', () => {
  it('is raw when it starts like an image, also where that is text', () => {
    expect(tell([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0])).toBe('raw');
    expect(tell([0xff, 0xd8, 0xff, 0xe0])).toBe('raw');
    expect(tell(`GIF89a${base64}`)).toBe('raw');
    expect(tell(`RIFF1234WEBP${base64}`)).toBe('raw');
  });

  it('is JSON, a data URL or base64 by its first characters, white space aside', () => {
    expect(tell(' \n{"data": ""}')).toBe('json');
    expect(tell(`data:image/png;base64,${base64}`)).toBe('data-url');
    expect(tell(`\nDATA:image/png;base64,${base64}`)).toBe('data-url');
    expect(tell(base64)).toBe('base64');
    expect(tell(`${base64.slice(0, 40)}\r\n${base64.slice(40)}\n`)).toBe('base64');
  });

  it('is none where no image could be in it', () => {
    expect(tell('')).toBeUndefined();
    expect(tell('short')).toBeUndefined();
    expect(tell(`${base64}!`)).toBeUndefined();
    expect(tell(`["${base64}"]`)).toBeUndefined();
    expect(tell('<svg xmlns="http://www.w3.org/2000/svg"/>')).toBeUndefined();
    expect(tell([0, 1, 2, 3, 4, 5, 6, 7])).toBeUndefined();
  });
});
