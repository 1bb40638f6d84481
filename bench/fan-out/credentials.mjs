export const psk = 'a pre-shared key for measurements';
export const token = 'a token for measurements';
