/**
 * Those that are missing are installed into the app's own folder: a sandbox cannot write to the system's, and what one fork
 * installs is no other's. Where all are there already nothing is written.
 */
export const INSTALL_GEMS =
  "(bundle check || (bundle config set --local path vendor/bundle && bundle install))";
/** Where they are then, and what says so. */
export const GEM_FOLDERS = [".bundle", "vendor/bundle"];
