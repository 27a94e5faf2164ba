// Pure logic is tested in plain node, which starts faster: there is no window to prepare.
if (typeof window !== 'undefined') await import('./window')

export {}
