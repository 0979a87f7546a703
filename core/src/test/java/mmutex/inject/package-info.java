/** Fault injection without switches in core: shortages made by hoarding, locks held by others, starts that may not wait. */
package mmutex.inject;
