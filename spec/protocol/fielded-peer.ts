import {
  decodeFrame,
  deriveRekeyedKeys,
  FrameOpener,
  FrameSealer,
  PacketType,
  SALT_BYTES,
  swapDirections,
  type DirectionKeys,
  type Frame,
  type SealedType,
} from '../../src/protocol/index.js';
import { establishedAs, sealWith, SESSION_ID, type Role } from './pair.js';
import { anyCrypto } from './providers.js';

/** Firmware in the field: it switches both keys the moment it reads or writes REKEY, and keeps nothing of the old ones. */
export class FieldedPeer {
  #keys: DirectionKeys;
  #sealer: FrameSealer;
  #opener: FrameOpener;

  constructor(role: Role) {
    this.#keys = establishedAs(role).keys;
    [this.#sealer, this.#opener] = this.#prepared();
  }

  seal(type: SealedType, plaintext: Uint8Array = new Uint8Array(0)): Frame {
    return decodeFrame(sealWith(this.#sealer, type, plaintext));
  }

  sealRekey(): Frame {
    const salt = anyCrypto.randomBytes(SALT_BYTES);
    const rekey = this.seal(PacketType.REKEY, salt);
    this.#switchTo(deriveRekeyedKeys(anyCrypto, this.#keys, salt, SESSION_ID));
    return rekey;
  }

  take(frame: Frame): Uint8Array {
    const plaintext = this.#opener.open(frame);
    if (frame.type === PacketType.REKEY) {
      this.#switchTo(swapDirections(deriveRekeyedKeys(anyCrypto, swapDirections(this.#keys), plaintext, SESSION_ID)));
    }
    return plaintext;
  }

  #switchTo(keys: DirectionKeys): void {
    this.#keys = keys;
    [this.#sealer, this.#opener] = this.#prepared();
  }

  #prepared(): [FrameSealer, FrameOpener] {
    const [sending, receiving] = [this.#keys.sending, this.#keys.receiving].map((key) =>
      anyCrypto.aead('aes-256-gcm', key.expose()),
    );
    return [new FrameSealer(sending!, SESSION_ID), new FrameOpener(receiving!, SESSION_ID)];
  }
}
