/** Where class-transformer keeps what `@Type` says; it is exported, and declared nowhere. */
declare module 'class-transformer/cjs/storage.js' {
  export { defaultMetadataStorage } from 'class-transformer/types/storage';
}
