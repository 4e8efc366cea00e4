import { describe, expect, it } from 'vitest';
import { createClientOf } from '../../../src/core/client-address.ts';
import { parseIpAddress, parseIpBlock } from '../../../src/core/ip-address.ts';

const direct = createClientOf([]);

describe('one client', () => {
  it('is an IPv4 address, however the socket or a proxy writes it', () => {
    expect(direct('192.0.2.7', '')).toBe('192.0.2.7');
    expect(direct('0000:0000:0000:0000:0000:ffff:c000:0207', '')).toBe('192.0.2.7');
    expect(direct('::ffff:192.0.2.7', '')).toBe('192.0.2.7');
  });

  it('is the /64 of an IPv6 address', () => {
    const one = direct('2001:0db8:0001:0002:0000:0000:0000:0001', '');
    expect(one).toBe('2001:db8:1:2::/64');
    expect(direct('2001:db8:1:2:ffff::7', '')).toBe(one);
    expect(direct('2001:db8:1:3::1', '')).not.toBe(one);
  });

  it('is what connected where that is no address at all', () => {
    expect(direct('', '')).toBe('');
  });
});

describe('X-Forwarded-For', () => {
  const behind = createClientOf(['127.0.0.1', '10.0.0.0/8', '2001:db8:ffff::/48']);

  it('is not believed of somebody who is not listed', () => {
    expect(direct('192.0.2.7', '198.51.100.1')).toBe('192.0.2.7');
    expect(behind('192.0.2.7', '198.51.100.1')).toBe('192.0.2.7');
    expect(behind('11.0.0.1', '198.51.100.1')).toBe('11.0.0.1');
  });

  it('is read from its end, as far as the proxies are listed: a client may have written the rest', () => {
    expect(behind('127.0.0.1', '198.51.100.1')).toBe('198.51.100.1');
    expect(behind('10.1.2.3', '203.0.113.9, 198.51.100.1, 10.9.9.9')).toBe('198.51.100.1');
    expect(behind('2001:db8:ffff:1::1', '2001:db8:1:2::3')).toBe('2001:db8:1:2::/64');
  });

  it('may carry ports', () => {
    expect(behind('127.0.0.1', '198.51.100.1:4711')).toBe('198.51.100.1');
    expect(behind('127.0.0.1', '[2001:db8:1:2::3]:4711')).toBe('2001:db8:1:2::/64');
  });

  it('that is missing or makes no sense leaves the nearest address that does', () => {
    expect(behind('127.0.0.1', '')).toBe('127.0.0.1');
    expect(behind('127.0.0.1', '198.51.100.1, unknown')).toBe('127.0.0.1');
    expect(behind('127.0.0.1', '10.0.0.1')).toBe('10.0.0.1');
  });
});

describe('an address', () => {
  it.each([
    '1.2.3',
    '1.2.3.256',
    '1.2.3.4.5',
    '::1::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '12345::',
    'x',
    '',
  ])('is not %j', (text) => {
    expect(parseIpAddress(text)).toBeUndefined();
  });

  it.each(['10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0.0/a', '/8'])('has no block %j', (text) => {
    expect(parseIpBlock(text)).toBeUndefined();
  });
});
