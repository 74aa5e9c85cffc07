"""The Identify pages that describe one thing: a controller, a namespace, and what the NVM command set adds
to each.  Lists are in `identify_lists`.  Fields that the kit does not use stay 0.

Every field here is named as in the standard, in lower case; `pages.pack_page` and `pages.unpack_page`
turn a page into bytes and back.
"""

from dataclasses import dataclass

from nvmelm_lab.nvme.bits import Bits
from nvmelm_lab.nvme.codes import VS_2_1
from nvmelm_lab.nvme.pages import at

# OACS, optional admin commands supported.  Base 2.1, Figure 312.
OACS_FNVMS = Bits(1, 1)  # Format NVM
OACS_NMS = Bits(3, 3)  # Namespace Management and Attachment
OACS_VMS = Bits(7, 7)  # Virtualization Management
OACS_GLSS = Bits(9, 9)  # Get LBA Status, of unrecoverable LBAs; allocated ones are AOCS_RALBAS
OACS_HMLMS = Bits(11, 11)  # this is a Migration Management Controller

# FRMW, firmware updates.  Base 2.1, Figure 312.
FRMW_FFSRO = Bits(0, 0)  # the first firmware slot is read only
FRMW_NOFS = Bits(3, 1)  # number of firmware slots

# LPA, log page attributes.  Base 2.1, Figure 312.
LPA_CSES = Bits(1, 1)  # the log page Commands Supported and Effects
LPA_LPEDS = Bits(2, 2)  # Get Log Page takes an offset, and more than 16 bits of length

# ONCS, optional NVM commands supported.  Base 2.1, Figure 312.
ONCS_NVMCMPS = Bits(0, 0)  # Compare
ONCS_NVMWUSV = Bits(1, 1)  # Write Uncorrectable
ONCS_NVMDSMSV = Bits(2, 2)  # Dataset Management
ONCS_NVMWZSV = Bits(3, 3)  # Write Zeroes
ONCS_NVMVFYS = Bits(7, 7)  # Verify
ONCS_NVMCPYS = Bits(8, 8)  # Copy
ONCS_NVMCSA = Bits(9, 9)  # what one Copy writes is written as one command would
ONCS_NSZS = Bits(12, 12)  # Write Zeroes of a whole namespace

# OCFS, formats of source ranges that Copy takes.  Base 2.1, Figure 312.
OCFS_0 = Bits(0, 0)  # descriptor format 0h: LBAs of the namespace that is copied to

# FNA, attributes of Format NVM.  Base 2.1, Figure 312.
FNA_FNS = Bits(0, 0)  # a format is of all namespaces
FNA_SENS = Bits(1, 1)  # a secure erase is of all namespaces
FNA_CRYES = Bits(2, 2)  # cryptographic erase
FNA_FNVMBS = Bits(3, 3)  # NSID FFFFFFFFh is not taken

# SANICAP, sanitize operations supported.  Base 2.1, Figure 312.
SANICAP_CES = Bits(0, 0)  # crypto erase
SANICAP_BES = Bits(1, 1)  # block erase
SANICAP_OWS = Bits(2, 2)  # overwrite
SANICAP_NDI = Bits(29, 29)  # the host cannot keep media from being deallocated
SANICAP_NODMMAS = Bits(31, 30)  # 1: media are not modified after a sanitize without deallocation

# TRATTR, tracking attributes.  Base 2.1, Figure 312.
TRATTR_THMCS = Bits(0, 0)  # changes of host memory can be tracked
TRATTR_TUDCS = Bits(1, 1)  # changes of user data can be logged
TRATTR_MRTLL = Bits(2, 2)  # lengths of tracked memory ranges must be powers of two

# AOCS, admin optional command support of the NVM command set.  NVM Command Set 1.2, Figure 120.
AOCS_RALBAS = Bits(0, 0)  # Get LBA Status can report allocated LBAs

# DLFEAT, deallocation in a namespace.  NVM Command Set 1.2, Figure 114.
DLFEAT_DRB = Bits(2, 0)  # what deallocated LBAs read as: 1 zeroes, 2 all ones, 0 not said
DLFEAT_WZDS = Bits(3, 3)  # Write Zeroes can deallocate

# NMIC, how a namespace may be shared.  NVM Command Set 1.2, Figure 114.
NMIC_SHRNS = Bits(0, 0)  # it may be attached to several controllers


@dataclass(frozen=True, slots=True)
class IdentifyController:
    """Identify Controller, CNS 01h.  Base 2.1, 5.1.13.2.1, Figure 312."""

    vid: int = at(0, "H")  # PCI vendor
    ssvid: int = at(2, "H")  # PCI subsystem vendor
    sn: str = at(4, "20s", "")  # serial number
    mn: str = at(24, "40s", "")  # model number
    fr: str = at(64, "8s", "")  # firmware revision
    cmic: int = at(76, "B")  # several ports, controllers; bit 2: SR-IOV virtual function
    mdts: int = at(77, "B")  # a transfer has at most 2 ** MDTS smallest pages; 0 for no limit
    cntlid: int = at(78, "H")  # this controller's id
    ver: int = at(80, "I", VS_2_1)  # version, as property VS
    oaes: int = at(92, "I")  # optional asynchronous events
    cntrltype: int = at(111, "B", 1)  # 1: I/O controller
    oacs: int = at(256, "H")  # OACS_*
    acl: int = at(258, "B")  # most Abort commands in flight, 0's based
    aerl: int = at(259, "B")  # most Asynchronous Event Requests in flight, 0's based
    frmw: int = at(260, "B")  # FRMW_*
    lpa: int = at(261, "B")  # LPA_*
    hmpre: int = at(272, "I")  # host memory buffer wanted; 0 beside a Migration Management Controller
    tnvmcap: int = at(280, "Q")  # bytes of the subsystem's capacity, lower half
    unvmcap: int = at(296, "Q")  # bytes of it not yet given to a namespace, lower half
    sanicap: int = at(328, "I")  # SANICAP_*
    sqes: int = at(512, "B", 0x66)  # an SQE has 2 ** 6 bytes
    cqes: int = at(513, "B", 0x44)  # a CQE has 2 ** 4 bytes
    maxcmd: int = at(514, "H")  # most commands at once on a queue; 0 for not said
    nn: int = at(516, "I")  # largest namespace id
    oncs: int = at(520, "H")  # ONCS_*
    fna: int = at(524, "B")  # FNA_*
    vwc: int = at(525, "B")  # bit 0: there is a volatile write cache
    ocfs: int = at(534, "H")  # OCFS_*
    sgls: int = at(536, "I")  # 0: no SGLs
    mnan: int = at(540, "I")  # most namespaces allocated; 0 for NN
    cmmrtd: int = at(570, "H")  # most memory range tracking descriptors of this controller
    nmmrtd: int = at(572, "H")  # the same of the subsystem
    minmrtg: int = at(574, "B")  # finest granularity of memory tracking, 2 ** n * 4 KiB
    maxmrtg: int = at(575, "B")  # coarsest
    trattr: int = at(576, "B")  # TRATTR_*
    mcudmq: int = at(578, "H")  # most User Data Migration Queues of this controller
    mnsudmq: int = at(580, "H")  # the same of the subsystem
    mcmr: int = at(582, "H")  # most memory ranges of one controller data queue; 0 for not said
    nmcmr: int = at(584, "H")  # the same of all such queues; 0 for not said
    mcdqpc: int = at(586, "H")  # most PRPs in such a queue's PRP List; 0 for not said
    subnqn: str = at(768, "256s", "")  # qualified name of the subsystem


@dataclass(frozen=True, slots=True)
class IdentifyNamespace:
    """Identify Namespace of the NVM command set, CNS 00h; in this form a host also describes a namespace
    that it wants created.  Sizes are in LBAs.  One LBA format, number 0.  NVM Command Set 1.2, 4.1.5.1,
    Figure 114.
    """

    nsze: int = at(0, "Q")  # size
    ncap: int = at(8, "Q")  # most LBAs that can be allocated at once
    nuse: int = at(16, "Q")  # LBAs allocated now
    nsfeat: int = at(24, "B")  # bit 0: thin provisioning
    nlbaf: int = at(25, "B")  # number of LBA formats, 0's based
    flbas: int = at(26, "B")  # LBA format in use
    dps: int = at(29, "B")  # end-to-end protection in use
    nmic: int = at(30, "B")  # NMIC_*
    dlfeat: int = at(33, "B")  # DLFEAT_*
    mssrl: int = at(74, "H")  # Copy: most LBAs of one source range
    mcl: int = at(76, "I")  # Copy: most LBAs of all source ranges
    msrc: int = at(80, "B")  # Copy: most source ranges, 0's based
    ms: int = at(128, "H")  # LBA format 0: bytes of metadata
    lbads: int = at(130, "B")  # LBA format 0: an LBA has 2 ** LBADS bytes
    rp: int = at(131, "B")  # LBA format 0: relative performance


@dataclass(frozen=True, slots=True)
class PrimaryCapabilities:
    """Primary Controller Capabilities, CNS 14h: virtual queue (VQ) and virtual interrupt (VI) resources, *private*
    ones of the primary controller and *flexible* ones that it can give to secondary controllers.  Base 2.1,
    5.1.13 and 8.2.6.
    """

    cntlid: int = at(0, "H")  # the primary controller
    portid: int = at(2, "H")  # the port that it is at
    crt: int = at(4, "B")  # resources that can be given away: bit 0 VQ, bit 1 VI
    vqfrt: int = at(32, "I")  # flexible VQ resources
    vqrfa: int = at(36, "I")  # of those, assigned to secondary controllers
    vqrfap: int = at(40, "H")  # of those, allocated to the primary controller
    vqprt: int = at(42, "H")  # private VQ resources
    vqfrsm: int = at(44, "H")  # most flexible VQ resources of one secondary controller
    vqgran: int = at(46, "H")  # in which steps they are assigned
    vifrt: int = at(64, "I")  # the same for VI resources
    virfa: int = at(68, "I")
    virfap: int = at(72, "H")
    viprt: int = at(74, "H")
    vifrsm: int = at(76, "H")
    vigran: int = at(78, "H")


@dataclass(frozen=True, slots=True)
class IdentifyNvmNamespace:
    """What the NVM command set says of a namespace, CNS 05h with CSI 0.  NVM Command Set 1.2, Figure 118."""

    tlbaag: int = at(292, "I")  # tracked LBA allocation granularity in LBAs; 0 for not said


@dataclass(frozen=True, slots=True)
class IdentifyNvmController:
    """What the NVM command set says of a controller, CNS 06h with CSI 0.  NVM Command Set 1.2, Figure 120."""

    wzsl: int = at(1, "B")  # Write Zeroes: at most 2 ** WZSL smallest pages; 0 for no limit
    wusl: int = at(2, "B")  # the same for Write Uncorrectable
    dmrl: int = at(3, "B")  # Dataset Management: most ranges; 0 for no limit
    dmrsl: int = at(4, "I")  # most LBAs of one range
    dmsl: int = at(8, "Q")  # most LBAs of all ranges
    aocs: int = at(18, "H")  # AOCS_*
    ver: int = at(20, "I", 0x00010200)  # version of the command set, 1.2.0
    lbamqf: int = at(24, "B")  # format of Migration Queue Entries: 0 is Type 0
