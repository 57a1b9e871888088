/** Where our own tools are found, whatever the `PATH` of those whose processes we keep. */
export const SEARCH_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";
