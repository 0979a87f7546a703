package mmutex.mm;

/** Results of emulated system calls and kernel functions; {@link #OK} is success. */
public enum Errno {
    OK,
    EPERM,
    ENOENT,
    EINTR,
    EIO,
    EAGAIN,
    ENOMEM,
    EACCES,
    EFAULT,
    EBUSY,
    EEXIST,
    EINVAL,
    EOPNOTSUPP,
    EOVERFLOW,
    EHWPOISON,
    ETIMEDOUT
}
