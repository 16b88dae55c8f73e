"""Registers of energy meters, written down from their sources (facts with sources: volkszaehler/mbmd, openWB, Tinkerforge, SmartEVSE, EVerest,
manuals), not from config/meters: what a map there says is held against this.

Each meter: function, order of words (hw: high word first), whether registers in between read as 0 (else: exception 2), identity registers
(function, address, type, content), and registers: name, address on the wire, type, and how many V, A, W, Wh ... one count stands for.
u voltage, i current, p power, q reactive, s apparent, pf power factor, f frequency, e energy, eq reactive energy, t temperature.
T2 T3 T5 T6 T7 T17: the types of Iskraemeco's manual.
"""
# fmt: off
TABLES = {
    "eastron-sdm630": (
        4, "hw", True, "3 FC00 u32 12648430, 3 FC02 u16 112",
        "u_l1 0000 f32 1, u_l2 0002 f32 1, u_l3 0004 f32 1, i_l1 0006 f32 1, i_l2 0008 f32 1, i_l3 000A f32 1, p_l1 000C f32 1, "
        "p_l2 000E f32 1, p_l3 0010 f32 1, s_l1 0012 f32 1, s_l2 0014 f32 1, s_l3 0016 f32 1, q_l1 0018 f32 1, q_l2 001A f32 1, "
        "q_l3 001C f32 1, pf_l1 001E f32 1, pf_l2 0020 f32 1, pf_l3 0022 f32 1, p 0034 f32 1, s 0038 f32 1, q 003C f32 1, "
        "pf 003E f32 1, f 0046 f32 1, e_imp 0048 f32 1000, e_exp 004A f32 1000, eq_imp 004C f32 1000, eq_exp 004E f32 1000, "
        "i_n 00E0 f32 1, e_sum 0156 f32 1000, e_imp_l1 015A f32 1000, e_imp_l2 015C f32 1000, e_imp_l3 015E f32 1000, "
        "e_exp_l1 0160 f32 1000, e_exp_l2 0162 f32 1000, e_exp_l3 0164 f32 1000, e_sum_l1 0166 f32 1000, e_sum_l2 0168 f32 1000, "
        "e_sum_l3 016A f32 1000",
    ),
    "eastron-sdm72d-m": (
        4, "hw", False, "3 FC00 u32 12648430, 3 FC02 u16 132",
        "p 0034 f32 1, e_imp 0048 f32 1000, e_exp 004A f32 1000, e_sum 0156 f32 1000",
    ),
    "eastron-sdm72d-m-v2": (
        4, "hw", False, "3 FC00 u32 12648430, 3 FC02 u16 137",
        "u_l1 0000 f32 1, u_l2 0002 f32 1, u_l3 0004 f32 1, i_l1 0006 f32 1, i_l2 0008 f32 1, i_l3 000A f32 1, p_l1 000C f32 1, "
        "p_l2 000E f32 1, p_l3 0010 f32 1, s_l1 0012 f32 1, s_l2 0014 f32 1, s_l3 0016 f32 1, q_l1 0018 f32 1, q_l2 001A f32 1, "
        "q_l3 001C f32 1, pf_l1 001E f32 1, pf_l2 0020 f32 1, pf_l3 0022 f32 1, p 0034 f32 1, s 0038 f32 1, q 003C f32 1, "
        "pf 003E f32 1, f 0046 f32 1, e_imp 0048 f32 1000, e_exp 004A f32 1000, i_n 00E0 f32 1, e_sum 0156 f32 1000",
    ),
    "eastron-sdm120": (
        4, "hw", True, "3 FC00 u32 12648430",
        "u_l1 0000 f32 1, i_l1 0006 f32 1, p 000C f32 1, s 0012 f32 1, q 0018 f32 1, pf 001E f32 1, f 0046 f32 1, "
        "e_imp 0048 f32 1000, e_exp 004A f32 1000, eq_imp 004C f32 1000, eq_exp 004E f32 1000, e_sum 0156 f32 1000",
    ),
    "eastron-sdm230": (
        4, "hw", True, "3 FC00 u32 12648430",
        "u_l1 0000 f32 1, i_l1 0006 f32 1, p 000C f32 1, s 0012 f32 1, q 0018 f32 1, pf 001E f32 1, f 0046 f32 1, "
        "e_imp 0048 f32 1000, e_exp 004A f32 1000, eq_imp 004C f32 1000, eq_exp 004E f32 1000, e_sum 0156 f32 1000",
    ),
    "eastron-sdm54": (
        4, "hw", False, "",
        "u_l1 0000 f32 1, u_l2 0002 f32 1, u_l3 0004 f32 1, i_l1 0006 f32 1, i_l2 0008 f32 1, i_l3 000A f32 1, p_l1 000C f32 1, "
        "p_l2 000E f32 1, p_l3 0010 f32 1, s_l1 0012 f32 1, s_l2 0014 f32 1, s_l3 0016 f32 1, q_l1 0018 f32 1, q_l2 001A f32 1, "
        "q_l3 001C f32 1, pf_l1 001E f32 1, pf_l2 0020 f32 1, pf_l3 0022 f32 1, p 0034 f32 1, s 0038 f32 1, q 003C f32 1, "
        "pf 003E f32 1, f 0046 f32 1, e_imp 0048 f32 1000, e_exp 004A f32 1000, i_n 00E0 f32 1, e_sum 0156 f32 1000, "
        "e_imp_l1 015A f32 1000, e_imp_l2 015C f32 1000, e_imp_l3 015E f32 1000, e_exp_l1 0160 f32 1000, e_exp_l2 0162 f32 1000, "
        "e_exp_l3 0164 f32 1000, e_sum_l1 0166 f32 1000, e_sum_l2 0168 f32 1000, e_sum_l3 016A f32 1000",
    ),
    "abb-b23": (
        3, "hw", False, "3 8900 u32 12648430",
        "e_imp 5000 u64 10, e_exp 5004 u64 10, e_imp_l1 5460 u64 10, e_imp_l2 5464 u64 10, e_imp_l3 5468 u64 10, "
        "e_exp_l1 546C u64 10, e_exp_l2 5470 u64 10, e_exp_l3 5474 u64 10, u_l1 5B00 u32 0.1, u_l2 5B02 u32 0.1, "
        "u_l3 5B04 u32 0.1, i_l1 5B0C u32 0.01, i_l2 5B0E u32 0.01, i_l3 5B10 u32 0.01, i_n 5B12 u32 0.01, p 5B14 i32 0.01, "
        "p_l1 5B16 i32 0.01, p_l2 5B18 i32 0.01, p_l3 5B1A i32 0.01, q 5B1C i32 0.01, q_l1 5B1E i32 0.01, q_l2 5B20 i32 0.01, "
        "q_l3 5B22 i32 0.01, f 5B2C u16 0.01, pf 5B3A i16 0.001, pf_l1 5B3B i16 0.001, pf_l2 5B3C i16 0.001, pf_l3 5B3D i16 0.001",
    ),
    "carlo-gavazzi-em340": (
        4, "lw", False, "4 5000 text 12648430",
        "u_l1 0000 i32 0.1, u_l2 0002 i32 0.1, u_l3 0004 i32 0.1, i_l1 000C i32 0.001, i_l2 000E i32 0.001, i_l3 0010 i32 0.001, "
        "p_l1 0012 i32 0.1, p_l2 0014 i32 0.1, p_l3 0016 i32 0.1, q_l1 001E i32 0.1, q_l2 0020 i32 0.1, q_l3 0022 i32 0.1, "
        "p 0028 i32 0.1, q 002C i32 0.1, pf_l1 002E i16 0.001, pf_l2 002F i16 0.001, pf_l3 0030 i16 0.001, pf 0031 i16 0.001, "
        "f 0033 i16 0.1, e_imp 0034 i32 100, e_imp_l1 0040 i32 100, e_imp_l2 0042 i32 100, e_imp_l3 0044 i32 100, "
        "e_exp 004E i32 100, e_imp_kwh_int 0400 i32 1000, e_imp_wh_dec 0402 i32 1, e_exp_kwh_int 0408 i32 1000, "
        "e_exp_wh_dec 040A i32 1",
    ),
    "carlo-gavazzi-em24": (
        4, "lw", False, "",
        "u_l1 0000 i32 0.1, u_l2 0002 i32 0.1, u_l3 0004 i32 0.1, i_l1 000C i32 0.001, i_l2 000E i32 0.001, i_l3 0010 i32 0.001, "
        "p_l1 0012 i32 0.1, p_l2 0014 i32 0.1, p_l3 0016 i32 0.1, p 0028 i32 0.1, pf_l1 0032 i16 0.001, pf_l2 0033 i16 0.001, "
        "pf_l3 0034 i16 0.001, pf 0035 i16 0.001, f 0037 i16 0.1, e_imp 0042 i32 100, e_imp_l1 0046 i32 100, "
        "e_imp_l2 0048 i32 100, e_imp_l3 004A i32 100, e_exp 005C i32 100",
    ),
    "carlo-gavazzi-em580": (
        4, "lw", False, "4 5000 text 12648430",
        "u_l1 0000 i32 0.1, u_l2 0002 i32 0.1, u_l3 0004 i32 0.1, i_l1 000C i32 0.001, i_l2 000E i32 0.001, i_l3 0010 i32 0.001, "
        "p_l1 0012 i32 0.1, p_l2 0014 i32 0.1, p_l3 0016 i32 0.1, q_l1 001E i32 0.1, q_l2 0020 i32 0.1, q_l3 0022 i32 0.1, "
        "p 0028 i32 0.1, q 002C i32 0.1, pf_l1 002E i16 0.001, pf_l2 002F i16 0.001, pf_l3 0030 i16 0.001, pf 0031 i16 0.001, "
        "f 0033 i16 0.1, e_imp 0500 i64 1, e_exp 051C i64 1, t 0307 i16 0.1",
    ),
    "schneider-iem3000": (
        3, "hw", False, "3 0081 u32 12648430",
        "i_l1 0BB7 f32 1, i_l2 0BB9 f32 1, i_l3 0BBB f32 1, u_l1 0BD3 f32 1, u_l2 0BD5 f32 1, u_l3 0BD7 f32 1, p_l1 0BED f32 1000, "
        "p_l2 0BEF f32 1000, p_l3 0BF1 f32 1000, p 0BF3 f32 1000, q 0BFB f32 1000, s 0C03 f32 1000, f 0C25 f32 1, "
        "e_imp 0C83 i64 1, e_exp 0C87 i64 1, eq_imp 0C93 i64 1, eq_exp 0C97 i64 1, e_imp_l1 0DBD i64 1, e_imp_l2 0DC1 i64 1, "
        "e_imp_l3 0DC5 i64 1",
    ),
    "janitza-b23": (
        3, "hw", False, "",
        "u_l1 4A38 f32 1, u_l2 4A3A f32 1, u_l3 4A3C f32 1, i_l1 4A44 f32 1, i_l2 4A46 f32 1, i_l3 4A48 f32 1, p_l1 4A4C f32 1, "
        "p_l2 4A4E f32 1, p_l3 4A50 f32 1, p 4A52 f32 1, pf_l1 4A64 f32 1, pf_l2 4A66 f32 1, pf_l3 4A68 f32 1, f 4A6A f32 1, "
        "e_imp_l1 4A76 f32 1, e_imp_l2 4A78 f32 1, e_imp_l3 4A7A f32 1, e_imp 4A7C f32 1, e_exp_l1 4A7E f32 1, "
        "e_exp_l2 4A80 f32 1, e_exp_l3 4A82 f32 1, e_exp 4A84 f32 1, q_l1 4A5C f32 1, q 4A62 f32 1",
    ),
    "inepro-pro380": (
        3, "hw", True, "3 4000 u32 12648430",
        "u_l1 5002 f32 1, u_l2 5004 f32 1, u_l3 5006 f32 1, f 5008 f32 1, i_l1 500C f32 1, i_l2 500E f32 1, i_l3 5010 f32 1, "
        "p 5012 f32 1000, p_l1 5014 f32 1000, p_l2 5016 f32 1000, p_l3 5018 f32 1000, q 501A f32 1000, q_l1 501C f32 1000, "
        "q_l2 501E f32 1000, q_l3 5020 f32 1000, s 5022 f32 1000, pf 502A f32 1, pf_l1 502C f32 1, pf_l2 502E f32 1, "
        "pf_l3 5030 f32 1, e_sum 6000 f32 1000, e_sum_l1 6006 f32 1000, e_sum_l2 6008 f32 1000, e_sum_l3 600A f32 1000, "
        "e_imp 600C f32 1000, e_imp_l1 6012 f32 1000, e_imp_l2 6014 f32 1000, e_imp_l3 6016 f32 1000, e_exp 6018 f32 1000, "
        "e_exp_l1 601E f32 1000, e_exp_l2 6020 f32 1000, e_exp_l3 6022 f32 1000, eq_imp 6030 f32 1000, eq_exp 603C f32 1000",
    ),
    "orno-we514": (
        3, "hw", False, "",
        "f 0130 u16 0.01, u_l1 0131 u16 0.01, i_l1 0139 u32 0.001, p 0140 u32 1, q 0148 u32 1, s 0150 u32 1, pf 0158 u16 0.001, "
        "e_sum A000 u32 10",
    ),
    "orno-we516": (
        3, "hw", False, "",
        "u_l1 000E f32 1, u_l2 0010 f32 1, u_l3 0012 f32 1, f 0014 f32 1, i_l1 0016 f32 1, i_l2 0018 f32 1, i_l3 001A f32 1, "
        "p 001C f32 1000, p_l1 001E f32 1000, p_l2 0020 f32 1000, p_l3 0022 f32 1000, q 0024 f32 1000, q_l1 0026 f32 1000, "
        "q_l2 0028 f32 1000, q_l3 002A f32 1000, s 002C f32 1000, pf 0034 f32 1, pf_l1 0036 f32 1, pf_l2 0038 f32 1, "
        "pf_l3 003A f32 1, e_sum 0100 f32 1000, e_sum_l1 0102 f32 1000, e_sum_l2 0104 f32 1000, e_sum_l3 0106 f32 1000, "
        "e_imp 0108 f32 1000, e_imp_l1 010A f32 1000, e_imp_l2 010C f32 1000, e_imp_l3 010E f32 1000, e_exp 0110 f32 1000, "
        "e_exp_l1 0112 f32 1000, e_exp_l2 0114 f32 1000, e_exp_l3 0116 f32 1000, eq_imp 0120 f32 1000, eq_exp 0128 f32 1000",
    ),
    "orno-we525": (
        4, "hw", False, "",
        "u_l1 0100 i32 0.001, i_l1 0102 i32 0.001, p 0104 i32 1, s 0106 i32 1, q 0108 i32 1, f 010A i16 0.1, pf 010B i16 0.001, "
        "e_imp 010E i32 10, e_exp 0118 i32 10, e_sum 0122 i32 10, eq_imp 012C i32 10, eq_exp 0136 i32 10",
    ),
    "orno-we504": (
        3, "hw", False, "",
        "u_l1 0000 u16 0.1, i_l1 0001 u16 0.1, f 0002 u16 0.1, p 0003 u16 1, q 0004 u16 1, s 0005 u16 1, pf 0006 u16 0.001, "
        "e_sum 0007 u32 1",
    ),
    "bernecker-mpm3pm": (
        4, "hw", False, "4 0033 u32 12648430",
        "e_sum 0000 i32 10, e_imp 0002 u32 10, e_exp 0004 u32 10, u_l1 0008 u32 0.1, u_l2 000A u32 0.1, u_l3 000C u32 0.1, "
        "i_l1 000E u32 0.01, i_l2 0010 u32 0.01, i_l3 0012 u32 0.01, p_l1 0014 i32 0.01, p_l2 0016 i32 0.01, p_l3 0018 i32 0.01, "
        "q_l1 001A i32 0.01, q_l2 001C i32 0.01, q_l3 001E i32 0.01, pf_l1 0020 u32 0.001, pf_l2 0022 u32 0.001, "
        "pf_l3 0024 u32 0.001, p 0026 i32 0.01, q 0028 i32 0.01, pf 002A u32 0.001, f 002C u32 0.01",
    ),
    "bg-ds100": (
        3, "hw", False, "3 100C u16 6",
        "u_l1 0400 i32 0.001, u_l2 0402 i32 0.001, u_l3 0404 i32 0.001, i_l1 0410 i32 0.001, i_l2 0412 i32 0.001, "
        "i_l3 0414 i32 0.001, i_n 0416 i32 0.001, p_l1 041A i32 1, p_l2 041C i32 1, p_l3 041E i32 1, p 0420 i32 1, s 0428 i32 1, "
        "q_l1 042A i32 1, q_l2 042C i32 1, q_l3 042E i32 1, q 0430 i32 1, f 0435 i16 0.1, pf_l1 0436 i16 0.001, "
        "pf_l2 0437 i16 0.001, pf_l3 0438 i16 0.001, pf 0439 i16 0.001, e_imp 010E i32 10, e_exp 0118 i32 10, e_sum 0122 i32 10, "
        "e_imp_l1 050A u32 10, e_imp_l2 056E u32 10, e_imp_l3 05D2 u32 10, e_exp_l1 0514 u32 10, e_exp_l2 0578 u32 10, "
        "e_exp_l3 05DC u32 10",
    ),
    "chint-dtsu666": (
        3, "hw", False, "",
        "u_l1 2006 f32 0.1, u_l2 2008 f32 0.1, u_l3 200A f32 0.1, i_l1 200C f32 0.001, i_l2 200E f32 0.001, i_l3 2010 f32 0.001, "
        "p 2012 f32 0.1, p_l1 2014 f32 0.1, p_l2 2016 f32 0.1, p_l3 2018 f32 0.1, q 201A f32 0.1, q_l1 201C f32 0.1, "
        "q_l2 201E f32 0.1, q_l3 2020 f32 0.1, pf 202A f32 0.001, pf_l1 202C f32 0.001, pf_l2 202E f32 0.001, "
        "pf_l3 2030 f32 0.001, f 2044 f32 0.01, e_imp 101E f32 1000, e_imp_l1 1020 f32 1000, e_imp_l2 1022 f32 1000, "
        "e_imp_l3 1024 f32 1000, e_exp 1028 f32 1000, e_exp_l1 102A f32 1000, e_exp_l2 102C f32 1000, e_exp_l3 102E f32 1000",
    ),
    "lovato-dmed341": (
        4, "hw", False, "",
        "u_l1 0001 i32 0.01, u_l2 0003 i32 0.01, u_l3 0005 i32 0.01, i_l1 0007 i32 0.0001, i_l2 0009 i32 0.0001, "
        "i_l3 000B i32 0.0001, p_l1 0013 i32 0.01, p_l2 0015 i32 0.01, p_l3 0017 i32 0.01, q_l1 0019 i32 0.01, q_l2 001B i32 0.01, "
        "q_l3 001D i32 0.01, pf_l1 0025 i32 0.0001, pf_l2 0027 i32 0.0001, pf_l3 0029 i32 0.0001, f 0031 i32 0.01, "
        "p 0039 i32 0.01, pf 003F i32 0.0001, e_imp 1A1F i32 1, e_exp 1A21 i32 1, e_imp_l1 1A33 i32 1, e_imp_l2 1A47 i32 1, "
        "e_imp_l3 1A5B i32 1, e_exp_l1 1A35 i32 1, e_exp_l2 1A49 i32 1, e_exp_l3 1A5D i32 1",
    ),
    "eltako-dsz15": (
        4, "hw", False, "3 FC02 u32 13",
        "u_l1 0000 u32 0.01, u_l2 0002 u32 0.01, u_l3 0004 u32 0.01, i_l1 0006 u32 0.01, i_l2 0008 u32 0.01, i_l3 000A u32 0.01, "
        "p_l1 000C i32 1, p_l2 000E i32 1, p_l3 0010 i32 1, pf_l1 001E i32 0.001, pf_l2 0020 i32 0.001, pf_l3 0022 i32 0.001, "
        "p 0034 i32 1, pf 003E i32 0.001, e_imp 0048 u32 10, e_exp 004A u32 10",
    ),
    "dzg-dvh4013": (
        3, "hw", False, "",
        "p_imp 0000 u32 0.1, p_exp 0002 u32 0.1, u_l1 0004 u32 0.01, u_l2 0006 u32 0.01, u_l3 0008 u32 0.01, i_l1 000A u32 0.001, "
        "i_l2 000C u32 0.001, i_l3 000E u32 0.001, pf 0010 u32 0.001, f 0012 u32 0.001, e_imp 4000 u32 1, e_imp_l1 4020 u32 1, "
        "e_imp_l2 4040 u32 1, e_imp_l3 4060 u32 1, e_exp 4100 u32 1, e_exp_l1 4120 u32 1, e_exp_l2 4140 u32 1, "
        "e_exp_l3 4160 u32 1",
    ),
    "saia-ale3": (
        3, "hw", False, "",
        "e_imp 001B u32 10, e_exp 001F u32 10, u_l1 0023 u16 1, i_l1 0024 u16 0.1, p_l1 0025 i16 10, q_l1 0026 i16 10, "
        "pf_l1 0027 i16 0.01, u_l2 0028 u16 1, i_l2 0029 u16 0.1, p_l2 002A i16 10, q_l2 002B i16 10, pf_l2 002C i16 0.01, "
        "u_l3 002D u16 1, i_l3 002E u16 0.1, p_l3 002F i16 10, q_l3 0030 i16 10, pf_l3 0031 i16 0.01, p 0032 i16 10, "
        "q 0033 i16 10",
    ),
    "siemens-pac2200": (
        4, "hw", False, "",
        "u_l1 0001 f32 1, u_l2 0003 f32 1, u_l3 0005 f32 1, i_l1 000D f32 1, i_l2 000F f32 1, i_l3 0011 f32 1, p_l1 0019 f32 1, "
        "p_l2 001B f32 1, p_l3 001D f32 1, pf_l1 0025 f32 1, pf_l2 0027 f32 1, pf_l3 0029 f32 1, s 003F f32 1, p 0041 f32 1, "
        "q 0043 f32 1, pf 0045 f32 1, e_imp 0321 f64 1, e_exp 0329 f64 1",
    ),
    "phoenix-eem350": (
        4, "lw", False, "",
        "u_l1 0000 i32 0.1, i_l1 000C i32 0.001, p 0028 i32 0.1, e_imp 003E i32 100",
    ),
    "finder-7e78": (
        4, "hw", False, "",
        "u_l1 1000 f32 1, i_l1 100E f32 1, p 1026 f32 1, e_imp 1106 f32 1, e_exp 110E f32 1",
    ),
    "iskra-wm3m4": (
        4, "hw", False, "4 0001 text WM3M",
        "f 0069 T5 1, u_l1 006B T5 1, u_l2 006D T5 1, u_l3 006F T5 1, i_l1 007E T5 1, i_l2 0080 T5 1, i_l3 0082 T5 1, p 008C T6 1, "
        "p_l1 008E T6 1, p_l2 0090 T6 1, p_l3 0092 T6 1, q 0094 T6 1, s 009C T5 1, pf 00A4 T7 0.0001, e_imp_exp10 019E T2 1, "
        "e_exp_exp10 019F T2 1, other 01A0 T2 1, other 01A1 T2 1, e_imp_cnt 01A2 T3 1, e_exp_cnt 01A4 T3 1, t 15CD T17 0.01",
    ),
}
