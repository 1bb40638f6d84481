import { generateKeyPairSync, sign } from 'node:crypto';

/*
 * Node makes keys and signatures but no certificates. This is the least of an X.509 one, version 1, in DER (RFC 5280 section 4.1),
 * with an ECDSA key on P-256.
 */

const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const SEQUENCE = 0x30;
const SET = 0x31;
const COMMON_NAME = Buffer.from('550403', 'hex');
const ECDSA_WITH_SHA256 = Buffer.from('2a8648ce3d040302', 'hex');
const DAY_MS = 86_400_000;

function der(tag, ...contents) {
  const content = Buffer.concat(contents);
  const { length } = content;
  const lengthBytes = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...lengthBytes), content]);
}

const utcTime = (ms) => der(UTC_TIME, Buffer.from(`${new Date(ms).toISOString().replace(/\D/g, '').slice(2, 14)}Z`));

/** A fresh key and its certificate for a day, in PEM. */
export function selfSigned() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = der(SEQUENCE, der(OBJECT_IDENTIFIER, ECDSA_WITH_SHA256));
  const commonName = der(SEQUENCE, der(OBJECT_IDENTIFIER, COMMON_NAME), der(UTF8_STRING, Buffer.from('localhost')));
  const name = der(SEQUENCE, der(SET, commonName));
  const now = Date.now();
  const validity = der(SEQUENCE, utcTime(now - DAY_MS), utcTime(now + DAY_MS));
  const subjectKey = publicKey.export({ format: 'der', type: 'spki' });
  const toSign = der(SEQUENCE, der(INTEGER, Buffer.of(1)), algorithm, name, validity, name, subjectKey);
  const signature = der(BIT_STRING, Buffer.of(0), sign('sha256', toSign, privateKey));
  const body = der(SEQUENCE, toSign, algorithm, signature)
    .toString('base64')
    .match(/.{1,64}/g)
    .join('\n');
  return {
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }),
    cert: `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`,
  };
}
